"""Does an occurrence bring a person into a campaign? The one place that says yes or no."""

from typing import Any, Final

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.channels import Channel, Unreachable, choose
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.complaints import open_complaint
from services.engagement.domain.customer import Customer, Decision
from services.engagement.domain.experiments import GLOBAL_HOLDOUT, HOLDOUT
from services.engagement.domain.journey import CouponNode, MessageNode
from services.engagement.domain.occurrence import Occurrence
from services.engagement.domain.pressure import Contact
from services.engagement.domain.zones import zone_of
from zhiyin.contracts.instants import HOUR, Duration, Instant, rfc3339
from zhiyin.contracts.profiles import Snapshot
from zhiyin.rules import Person

# What happened, or was to be kept, longer ago than this is of no interest to anybody any more.
STALE_AFTER: Final[Duration] = 24 * HOUR
# A segment entered, or a supply running out, is still true when we come to it late.
_AGEING: Final = frozenset({"event", "tag.added", "date", "schedule", "broadcast"})

Refusal = tuple[str, dict[str, Any]]  # reason, detail


def decide(
    customer: Customer, campaign: Campaign, occurrence: Occurrence, around: Circumstances
) -> Decision:
    """Entered, or the first reason not to, in this order: paused, import, stale, unknown_person,
    condition, reentry, open_complaint, consent or no_reachable_channel, global_holdout,
    holdout, then in the order of the opening steps budget, quiet_hours, cap."""
    refusal, truths = _history(campaign, occurrence, around), {}
    if refusal is None:
        refusal = _person(customer, campaign, occurrence, around)
        truths = _truths(customer, campaign, around)
    reason, detail = refusal or (None, {})
    # Somebody held out is compared with those who entered, so their goal counts too.
    measured = campaign.goal is not None and reason in (None, HOLDOUT)
    return Decision(
        profile_id=customer.profile_id,
        campaign=campaign.key,
        version=campaign.version,
        occurrence=occurrence.name,
        at=around.now,
        entered=reason is None,
        reason=reason,
        why={**occurrence.why, **detail, **truths},
        goal_until=around.now + campaign.goal.within if measured and campaign.goal else None,
        trials=around.experiments.trials(campaign, customer.profile_id, reason, around.now),
    )


def _truths(customer: Customer, campaign: Campaign, around: Circumstances) -> dict[str, Any]:
    """Which clauses of the condition held, by pointer; what was found is the person's, and not
    kept twice."""
    if campaign.where is None or customer.snapshot is None:
        return {}
    person = Person(customer.snapshot, customer.segments)
    found = campaign.where.truths(person, around.now)
    return {"where": {each.pointer: each.matches for each in found}}


def _history(campaign: Campaign, occurrence: Occurrence, around: Circumstances) -> Refusal | None:
    if campaign.state == "paused":
        return "paused", {}
    if occurrence.imported:
        return "import", {}
    if occurrence.kind in _AGEING and around.now - occurrence.at > STALE_AFTER:
        return "stale", {}
    return None


def _person(
    customer: Customer, campaign: Campaign, occurrence: Occurrence, around: Circumstances
) -> Refusal | None:
    snapshot = customer.snapshot
    if snapshot is None:
        return "unknown_person", {}
    if (earlier := _earlier(snapshot, campaign, occurrence)) is not None:
        return "condition", {"first_at": rfc3339(earlier)}
    if campaign.where is not None:
        person = Person(snapshot, customer.segments)
        if not campaign.where.evaluate(person, around.now).matches:
            return "condition", {}
    return (
        _reentry(customer, campaign, around)
        or _suppressed(snapshot, campaign)
        or _unreachable(snapshot, campaign, around)
        or _holdout(customer, campaign, around)
        or _used_up(customer, snapshot, campaign, around)
    )


def _earlier(snapshot: Snapshot, campaign: Campaign, occurrence: Occurrence) -> Instant | None:
    """When the person's first event of the type happened, if it must be the first and is not. A
    count would not tell: of two in one batch, only the person after both is known."""
    seen = snapshot.facts.seen.get(campaign.about) if campaign.first else None
    return seen.first_at if seen is not None and seen.first_at < occurrence.at else None


def _reentry(customer: Customer, campaign: Campaign, around: Circumstances) -> Refusal | None:
    if customer.inside(campaign.key):
        return "reentry", {"inside": True}
    last = customer.last_entry.get(campaign.key)
    if last is not None and campaign.first:
        # An event came late that is earlier still: there is one first time all the same.
        return "reentry", {"entered_at": rfc3339(last)}
    if last is None or campaign.reentry is None:
        return None
    again = last + campaign.reentry
    return ("reentry", {"not_before": rfc3339(again)}) if around.now < again else None


def _suppressed(snapshot: Snapshot, campaign: Campaign) -> Refusal | None:
    if campaign.purpose == "marketing" and open_complaint(snapshot):
        return "open_complaint", {}
    return None


def _unreachable(snapshot: Snapshot, campaign: Campaign, around: Circumstances) -> Refusal | None:
    """Refused only if not one message of the journey could reach the person."""
    refusal: Refusal | None = None
    for node in campaign.journey.messages:
        chosen = choose(node.channel, snapshot, campaign.purpose, around.channels)
        if isinstance(chosen, Channel):
            return None
        if refusal is None or chosen.reason == "consent":
            refusal = chosen.reason, {"detail": chosen.detail}
    return refusal


def _holdout(customer: Customer, campaign: Campaign, around: Circumstances) -> Refusal | None:
    experiments = around.experiments
    if experiments.leaves_alone_altogether(campaign, customer.profile_id):
        return GLOBAL_HOLDOUT, {"share": experiments.spec.global_holdout}
    if experiments.leaves_alone(campaign, customer.profile_id):
        return HOLDOUT, {"share": experiments.share(campaign)}
    return None


def _used_up(
    customer: Customer, snapshot: Snapshot, campaign: Campaign, around: Circumstances
) -> Refusal | None:
    """A coupon nobody is told of, or a message about a coupon there is none of, helps nobody: so
    what follows at once on entering must be possible."""
    for node in campaign.journey.opening():
        match node:
            case CouponNode(template=template):
                if lacking := around.lacking(customer, template):
                    return "budget", {"coupon": template, "detail": lacking}
            case MessageNode(channel=channel):
                if refusal := _capped(customer, snapshot, campaign, channel, around):
                    return refusal
    return None


def _capped(
    customer: Customer,
    snapshot: Snapshot,
    campaign: Campaign,
    wanted: str,
    around: Circumstances,
) -> Refusal | None:
    purpose, now = campaign.purpose, around.now
    chosen = choose(wanted, snapshot, purpose, around.channels)
    if purpose == "transactional" or isinstance(chosen, Unreachable):
        return None  # unreachable is recorded with the message
    quiet = around.pressure.quiet_until(now, zone_of(snapshot, around.pressure.zone), purpose)
    if quiet is not None:
        until = {"until": rfc3339(quiet.until), "detail": quiet.why}
        # What waits for the morning asks for the caps then.
        return ("quiet_hours", until) if campaign.quiet_hours == "drop" else None
    cap = around.pressure.cap_reached(customer.contacts, Contact(now, chosen.name, purpose))
    if cap is None or campaign.caps == "defer":
        return None
    return "cap", {"cap": cap.text, "channel": chosen.name}
