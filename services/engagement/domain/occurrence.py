"""Something that may start a campaign for somebody, with a name of its own."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.profiles import Cause
from zhiyin.contracts.segments import SegmentChanged


class Occurrence(Struct, frozen=True, omit_defaults=True):
    """`name` is the same however often it is heard of: a person enters once per campaign and name.

    `at`: when it happened; `received_at`: when the platform heard of it, None when time alone
    brought it about; `properties`: of the event, for templates and waits; `outdated`: it waited in
    vain for the newest of the person, and is decided on with what is known of them; `because`: what
    it was concluded from, where it was.
    """

    name: str
    kind: str
    at: Instant
    what: str
    imported: bool = False
    received_at: Instant | None = None
    properties: Mapping[str, Any] = {}
    traceparent: str = ""
    outdated: bool = False
    because: Mapping[str, Any] = {}

    @property
    def why(self) -> dict[str, Any]:
        """What the ledger shows."""
        known = {"person": "outdated"} if self.outdated else {}
        return {
            "trigger": self.kind,
            "what": self.what,
            "at": rfc3339(self.at),
            **known,
            **self.because,
        }


def of_event(cause: Cause, uid: str, properties: Mapping[str, Any]) -> Occurrence:
    return Occurrence(
        name=f"event:{uid}",
        kind="event",
        at=cause.at,
        what=f"{cause.type} {cause.event_id}",
        imported=cause.imported,
        received_at=cause.received_at,
        properties=properties,
        traceparent=cause.traceparent,
    )


def of_segment(change: SegmentChanged, traceparent: str = "") -> Occurrence:
    return Occurrence(
        name=f"segment:{change.segment}:{change.change}:{change.at}",
        kind=f"segment.{change.change}",
        at=change.at,
        what=f"{change.segment} by {change.cause}",
        imported=change.imported,
        received_at=change.received_at,
        properties={"segment": change.segment},
        traceparent=traceparent,
    )


def of_member(segment: str, campaign_version: int, at: Instant) -> Occurrence:
    """Somebody who was in the segment already when the campaign was launched."""
    return Occurrence(
        name=f"member:{segment}:{campaign_version}",
        kind="segment.entered",
        at=at,
        what=f"{segment}, a member at launch",
        properties={"segment": segment},
    )


def of_tag(
    tag: str, since: Instant, imported: bool, received_at: Instant | None, traceparent: str
) -> Occurrence:
    return Occurrence(
        name=f"tag:{tag}:{since}",
        kind="tag.added",
        at=since,
        what=tag,
        imported=imported,
        received_at=received_at,
        properties={"tag": tag},
        traceparent=traceparent,
    )


class Dated(Struct, frozen=True, omit_defaults=True):
    """How a reorder date came about: by `pack` or own `interval`, so many days, how sure."""

    basis: str = ""
    days: float = 0.0
    sure: str = ""
    category: str | None = None


def of_reorder(sku: str, due_at: Instant, at: Instant, dated: Dated) -> Occurrence:
    """The supply bought last runs out at `due_at`; `at` is that less the campaign's lead."""
    because = {"basis": dated.basis, "days": dated.days, "sure": dated.sure} if dated.basis else {}
    return Occurrence(
        name=f"reorder:{sku}:{due_at}",
        kind="reorder.due",
        at=at,
        what=f"{sku} runs out {rfc3339(due_at)}",
        properties={
            "sku": sku,
            "category": dated.category,
            "due_at": rfc3339(due_at),
            **because,
        },
        because=because,
    )


def of_date(name: str, what: str, day: str, at: Instant) -> Occurrence:
    """`day`: the day itself; `at` is that with the campaign's offset."""
    return Occurrence(
        name=name,
        kind="date",
        at=at,
        what=f"{what} {day}",
        properties={"day": day, "what": what},
    )


def of_tick(cron: str, at: Instant, missed: int) -> Occurrence:
    """`missed`: instants of the schedule before this one that nobody was there to keep."""
    also = f", {missed} missed before it" if missed else ""
    return Occurrence(
        name=f"schedule:{at}",
        kind="schedule",
        at=at,
        what=f"{cron}{also}",
        properties={"scheduled_at": rfc3339(at)},
    )


def of_broadcast(segment: str, at: Instant) -> Occurrence:
    """Once per campaign, however often it is launched."""
    return Occurrence(
        name="broadcast",
        kind="broadcast",
        at=at,
        what=segment,
        properties={"segment": segment},
    )
