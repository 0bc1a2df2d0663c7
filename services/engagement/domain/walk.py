"""One walk through a journey, from a wait to the next: where it stands, what it has done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, Final

from msgspec.structs import replace

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.circumstances import Circumstances
from services.engagement.domain.coupons import Coupon
from services.engagement.domain.customer import Action, Customer, Run
from services.engagement.domain.ids import action_id
from services.engagement.domain.journey import Path
from services.engagement.domain.links import Link
from services.engagement.domain.zones import zone_of
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.profiles import Snapshot

# Under this name a run remembers what its occurrence was concluded from.
BECAUSE: Final = "because"
# Under this one, what the message it stands at has been held back by so far.
HELD: Final = "held"


@dataclass(frozen=True, slots=True)
class TagChange:
    """A tag to be set (until `until`, if ever) or taken away through an event of its own, like any
    other tag."""

    action: Action
    tag: str
    removes: bool
    until: Instant | None


Effect = Action | Coupon | TagChange | Link


@dataclass(slots=True)
class Walk:
    """One walk through a journey: what it has done so far. `waited`: what the message it begins
    with was held back by, if it was."""

    run: Run
    campaign: Campaign
    customer: Customer
    snapshot: Snapshot
    around: Circumstances
    effects: list[Effect]
    waited: str | None = None

    @property
    def zone(self) -> tzinfo:
        """The clock the person lives by."""
        return zone_of(self.snapshot, self.around.pressure.zone)


def skip(walk: Walk, path: Path, kind: str, reason: str, detail: str, template: str | None) -> None:
    action = action_of(walk, path, kind, "skipped", template=template)
    why = {**action.why, "detail": detail} if detail else action.why
    walk.effects.append(replace(action, reason=reason, why=why))


def action_of(
    walk: Walk,
    path: Path,
    kind: str,
    state: str,
    *,
    channel: str | None = None,
    template: str | None = None,
    data: Mapping[str, Any] | None = None,
) -> Action:
    run, campaign = walk.run, walk.campaign
    return Action(
        action_id=action_id(campaign.key, run.version, run.occurrence, run.origin, path),
        profile_id=walk.customer.profile_id,
        campaign=campaign.key,
        version=run.version,
        occurrence=run.occurrence,
        run_id=run.run_id,
        step=path,
        kind=kind,
        purpose=campaign.purpose,
        state=state,
        at=walk.around.now,
        channel=channel,
        template=template,
        why={
            "occurrence": run.occurrence,
            "entered_at": rfc3339(run.entered_at),
            **run.context.get(BECAUSE, {}),
            **_held(run),
        },
        data=data or {},
        traceparent=run.traceparent,
    )


def go(walk: Walk, path: Path | None) -> None:
    context = {name: value for name, value in walk.run.context.items() if name != HELD}
    walk.run, walk.waited = replace(walk.run, step=path, context=context), None


def _held(run: Run) -> dict[str, Any]:
    notes = [
        {**note, "at": rfc3339(note["at"]), "until": rfc3339(note["until"])}
        for note in run.context.get(HELD, ())
    ]
    return {HELD: notes} if notes else {}


def left(run: Run, reason: str) -> Run:
    return replace(run, state="exited", reason=reason, waiting=None)
