"""What may begin a campaign for somebody."""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.segments import Key

EventType = Annotated[str, Meta(min_length=1, max_length=128)]
TagText = Annotated[str, Meta(min_length=1, max_length=128)]
DurationText = Annotated[str, Meta(min_length=2, max_length=32)]
# A local time of day.
ClockTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class EventTrigger(Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="event"):
    """`where` compares the event's properties, as in rules; `first`: only a person's first event of
    the type, by when it happened, history included, and nobody enters twice."""

    type: EventType
    where: dict[str, Any] = {}
    first: bool = False


class SegmentEnteredTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="segment.entered"
):
    segment: Key


class SegmentLeftTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="segment.left"
):
    segment: Key


class TagAddedTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="tag.added"
):
    tag: TagText


class ReorderDueTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="reorder.due"
):
    """Fires `lead` before a person's own supply of a product runs out. `substitutes`: `category`
    where something else of the same category does as well."""

    lead: DurationText = "3d"
    substitutes: Literal["none", "category"] = "none"


class DateTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="date", omit_defaults=True
):
    """A day, in the person's time zone: either that of a `fact` (`attributes.birthday`) or a
    `festival` (`mid-autumn`). It fires at the local time `at`, `offset` days before (`-7d`) or
    after.

    `repeat` `once`: in the fact's own year alone. `calendar` `lunar`: the day comes round by the
    lunar calendar."""

    fact: Annotated[str, Meta(min_length=1, max_length=256)] | None = None
    festival: Annotated[str, Meta(min_length=1, max_length=64)] | None = None
    at: ClockTime = "09:00"
    offset: Annotated[str, Meta(max_length=16)] = "0d"
    repeat: Literal["yearly", "once"] = "yearly"
    calendar: Literal["solar", "lunar"] = "solar"


class ScheduleTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="schedule"
):
    """Everybody in the segment whenever `cron` (five fields, the platform's time zone) says so."""

    cron: Annotated[str, Meta(min_length=9, max_length=100)]
    segment: Key


class BroadcastTrigger(
    Struct,
    frozen=True,
    forbid_unknown_fields=True,
    tag_field="on",
    tag="broadcast",
    omit_defaults=True,
):
    """Everybody in the segment, once: at launch, or at the instant `at` (RFC 3339) after it."""

    segment: Key
    at: Annotated[str, Meta(max_length=64)] | None = None


TriggerSpec = (
    EventTrigger
    | SegmentEnteredTrigger
    | SegmentLeftTrigger
    | TagAddedTrigger
    | ReorderDueTrigger
    | DateTrigger
    | ScheduleTrigger
    | BroadcastTrigger
)
