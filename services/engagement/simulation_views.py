"""How trials look in answers: progress while they run, then what would have been."""

from typing import Any

from services.engagement.domain.simulation.tally import Story, Tally, total
from services.engagement.store.simulations import Simulation
from zhiyin.contracts.instants import rfc3339
from zhiyin.contracts.money import from_minor

View = dict[str, Any]
_LIMITS = (
    "Who is who, tag rules, templates and settings are as of now; each person's events are known "
    "from when they came, those loaded as history from when they happened. What campaigns would "
    "have changed in people's doings cannot be known: coupons count as used by orders made anyway."
)


def simulation_view(found: Simulation, currency: str, brands: frozenset[str] | None = None) -> View:
    """What campaigns beside it sent is for those to see who see all brands."""
    tally = found.tally or Tally()
    view: View = {
        "id": str(found.id),
        "kind": found.kind,
        "subject": found.subject,
        "status": found.state,
        "from": rfc3339(found.asked.since),
        "to": rfc3339(found.asked.until),
        "created_at": rfc3339(found.created_at),
        "created_by": found.created_by,
        "finished_at": None if found.finished_at is None else rfc3339(found.finished_at),
        "error": found.error,
        "progress": {"people": tally.people, "of": found.people, "run": found.run},
        "result": None,
    }
    if found.state == "done":
        shown = _of_segment(tally) if found.kind == "segment" else _of_campaign(found, currency)
        shared = {"people": tally.people, "events": tally.events, "limits": _LIMITS}
        if brands is not None:
            shown.pop("messages_of_others", None)
        view["result"] = {**shared, **shown, "sample": [_story(each) for each in tally.stories]}
    return view


def _of_campaign(found: Simulation, currency: str) -> View:
    tally, ends = found.tally or Tally(), found.budgets.ends if found.budgets else {}
    entered = tally.decisions.get("entered", 0)
    return {
        "alongside": "live" if found.asked.alongside else "none",
        "version": found.asked.version,
        "entered": entered,
        "entered_people": tally.entered_people,
        "not_entered": {k: n for k, n in sorted(tally.decisions.items()) if k != "entered"},
        "by_day": [
            {
                "day": day,
                "entered": tally.entered_days.get(day, 0),
                "messages": tally.message_days.get(day, 0),
            }
            for day in sorted({*tally.entered_days, *tally.message_days})
        ],
        "messages": {"sent": total(tally.messages), "by_channel": _sorted(tally.messages)},
        "held_back": _sorted(tally.held_back),
        "deferred": _sorted(tally.deferred),
        "steps": {step: _sorted(counts) for step, counts in sorted(tally.actions.items())},
        "coupons": {
            key: {
                "issued": each.issued,
                "would_be_used": each.used,
                "cost": from_minor(each.discount, currency),
                "budget_used_up_at": rfc3339(ends[key][0]) if key in ends else None,
            }
            for key, each in sorted(tally.coupons.items())
        },
        "coupon_cost": from_minor(sum(c.discount for c in tally.coupons.values()), currency),
        "goal": {
            "measured": tally.measured,
            "reached_anyway": tally.reached,
            "rate": round(tally.reached / tally.measured, 6) if tally.measured else None,
        },
        "messages_of_others": _sorted(tally.others),
    }


def _of_segment(tally: Tally) -> View:
    return {
        "members_at_start": tally.members[0],
        "members_at_end": tally.members[1],
        "entered": sum(days[0] for days in tally.segment_days.values()),
        "left": sum(days[1] for days in tally.segment_days.values()),
        "by_day": [
            {"day": day, "entered": entered, "left": left}
            for day, (entered, left) in sorted(tally.segment_days.items())
        ],
    }


def _story(story: Story) -> View:
    return {
        "profile_id": story.profile_id,
        "story": [
            {
                "at": rfc3339(line.at),
                "what": line.what,
                **({"detail": line.detail} if line.detail else {}),
            }
            for line in story.lines
        ],
    }


def _sorted(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items()))
