"""Campaigns as operators define them: who enters when, and the journey that follows.

Durations are texts such as `7d` or `P7D`, money is a decimal text or number; the engagement service
checks what a type alone cannot say (rules, durations, unknown templates) and points at the place.
"""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from zhiyin.contracts.channels import (
    DEFAULT_PRESSURE,
    CapSpec,
    ChannelKind,
    ChannelSpec,
    MessageTemplateSpec,
    PressureSpec,
    QuietHours,
    SmtpConfig,
    WebhookConfig,
)
from zhiyin.contracts.coupons import (
    ClaimSpec,
    CouponKind,
    CouponTemplateSpec,
    RedeemSpec,
    ReverseSpec,
    RevokeSpec,
)
from zhiyin.contracts.segments import KEY_PATTERN, Key

# Whoever talks to the engagement service finds all its bodies here.
__all__ = [
    "AUTO_CHANNEL",
    "DEFAULT_PRESSURE",
    "STEP_KINDS",
    "Brand",
    "BroadcastTrigger",
    "CampaignSpec",
    "CampaignState",
    "CapSpec",
    "ChannelKind",
    "ChannelSpec",
    "ClaimSpec",
    "CouponKind",
    "CouponTemplateSpec",
    "DateTrigger",
    "EventMatch",
    "EventTrigger",
    "GoalSpec",
    "LaunchSpec",
    "MessageStep",
    "MessageTemplateSpec",
    "PressureSpec",
    "Purpose",
    "QuietHours",
    "RedeemSpec",
    "ReorderDueTrigger",
    "ReverseSpec",
    "RevokeSpec",
    "ScheduleTrigger",
    "SegmentEnteredTrigger",
    "SegmentLeftTrigger",
    "SmtpConfig",
    "SplitArm",
    "StepSpec",
    "TagAddedTrigger",
    "TriggerSpec",
    "WebhookConfig",
    "WebhookStep",
]

EventType = Annotated[str, Meta(min_length=1, max_length=128)]
# A brand as operators name it in campaigns and in what keys and operators may see.
Brand = Annotated[str, Meta(pattern=KEY_PATTERN)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
DurationText = Annotated[str, Meta(min_length=2, max_length=32)]
Purpose = Literal["marketing", "transactional", "care"]
CampaignState = Literal["draft", "approved", "live", "paused", "ended"]

AUTO_CHANNEL: Final = "auto"


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
    tag: Annotated[str, Meta(min_length=1, max_length=128)]


class ReorderDueTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="reorder.due"
):
    """Fires `lead` before a person's own supply of a product runs out. `substitutes`: `category`
    where something else of the same category does as well."""

    lead: DurationText = "3d"
    substitutes: Literal["none", "category"] = "none"


class DateTrigger(Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="date"):
    fact: str
    at: str = "09:00"
    offset: str = "0d"


class ScheduleTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="schedule"
):
    cron: str
    segment: Key


class BroadcastTrigger(
    Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="broadcast"
):
    segment: Key


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


class EventMatch(Struct, frozen=True, forbid_unknown_fields=True):
    """An event of a type whose properties match `where`."""

    event: EventType
    where: dict[str, Any] = {}


class GoalSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What the campaign is for: counted when it happens within `within` of entering."""

    event: EventType
    where: dict[str, Any] = {}
    within: DurationText = "14d"


class MessageStep(Struct, frozen=True, forbid_unknown_fields=True):
    """`channel` is a channel's name, or `auto` for the best one that reaches the person."""

    template: Key
    channel: Key = AUTO_CHANNEL


class WebhookStep(Struct, frozen=True, forbid_unknown_fields=True):
    """`channel` names a channel of kind webhook; `data` is sent along as it is."""

    channel: Key
    data: dict[str, Any] = {}


class SplitArm(Struct, frozen=True, forbid_unknown_fields=True):
    """`weight` relative to the other arms'."""

    weight: Annotated[int, Meta(ge=1, le=1000)]
    steps: "list[StepSpec]" = []


STEP_KINDS: Final = (
    "coupon",
    "message",
    "webhook",
    "points",
    "tag",
    "task",
    "wait",
    "wait_for",
    "if",
    "split",
)


class StepSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One step: exactly one of the kinds in `STEP_KINDS`, with what belongs to it.

    - `coupon`: key of a coupon template; `tag`: the tag to set; `wait`: how long
    - `wait_for`: an event; when it comes the journey goes through `then`, after `timeout` through
      `else`, and either way on to the next step
    - `if`: a rule over the person; `then` or `else` follows
    - `split`: arms by weight; a person always falls into the same one
    """

    coupon: Key | None = None
    message: MessageStep | None = None
    webhook: WebhookStep | None = None
    points: Any = None
    tag: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    task: Any = None
    wait: DurationText | None = None
    wait_for: EventMatch | None = None
    timeout: DurationText | None = None
    if_: Any = field(name="if", default=None)
    then: "list[StepSpec]" = []
    else_: "list[StepSpec]" = field(name="else", default_factory=list)
    split: list[SplitArm] | None = None


class CampaignSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign: who enters when, and what then happens to them.

    `where` is a rule over the person at the moment of entering; `reentry` how long after the last
    entry somebody may enter again (absent: once they are out, the next occurrence enters them);
    `holdout` the share (0–0.9) that is left alone, for comparison; `priority` 0–100; `brand` whose
    it is: keys and operators bound to brands see and change only theirs.
    """

    key: Key
    name: Title
    trigger: TriggerSpec
    steps: Annotated[list[StepSpec], Meta(min_length=1, max_length=100)]
    purpose: Purpose = "marketing"
    where: Any = None
    reentry: DurationText | None = None
    holdout: Annotated[float, Meta(ge=0, le=0.9)] = 0.0
    priority: Annotated[int, Meta(ge=0, le=100)] = 50
    exit_on: EventMatch | None = None
    goal: GoalSpec | None = None
    description: Annotated[str, Meta(max_length=2000)] = ""
    brand: Brand | None = None


class LaunchSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`include_current_members` also enters those who are in the trigger's segment already."""

    include_current_members: bool = False
