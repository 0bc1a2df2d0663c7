"""Campaigns and what they use, as operators define them: journeys, coupons, channels, pressure.

Durations are texts such as `7d` or `P7D`, money is a decimal text or number; the engagement service
checks what a type alone cannot say (rules, durations, unknown templates) and points at the place.
"""

from decimal import Decimal
from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from zhiyin.contracts.segments import Key

EventType = Annotated[str, Meta(min_length=1, max_length=128)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
DurationText = Annotated[str, Meta(min_length=2, max_length=32)]
Purpose = Literal["marketing", "transactional", "care"]
ChannelKind = Literal["webhook", "smtp", "aliyun_sms", "wechat_subscribe", "wecom", "log"]
CouponKind = Literal["amount", "percent", "trial", "gift"]
CampaignState = Literal["draft", "approved", "live", "paused", "ended"]

AUTO_CHANNEL: Final = "auto"


class EventTrigger(Struct, frozen=True, forbid_unknown_fields=True, tag_field="on", tag="event"):
    """`where` compares the event's properties, as in rules."""

    type: EventType
    where: dict[str, Any] = {}


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
    """Fires `lead` before a person's own supply of a product runs out."""

    lead: DurationText = "3d"


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
    `holdout` the share (0–0.9) that is left alone, for comparison; `priority` 0–100.
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


class LaunchSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`include_current_members` also enters those who are in the trigger's segment already."""

    include_current_members: bool = False


class CouponTemplateSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A kind of coupon.

    - `value`: for `amount` money off, for `percent` percent off (0 < value ≤ 100), for `trial` and
      `gift` what is given (a SKU)
    - `minimum`: money the order must reach; `valid`: how long after issue, such as `30d`
    - `budget`: how many may be issued in all; `per_person`: how many one person may ever get
    """

    key: Key
    kind: CouponKind
    value: str | int | float
    name: Annotated[str, Meta(max_length=200)] = ""
    minimum: Decimal | None = None
    budget: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    per_person: Annotated[int, Meta(ge=1, le=1000)] | None = None
    valid: DurationText = "30d"


class RedeemSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` is the order's total before the coupon."""

    order_id: Annotated[str, Meta(min_length=1, max_length=128)]
    amount: Decimal
    store_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None


class ReverseSpec(Struct, frozen=True, forbid_unknown_fields=True):
    order_id: Annotated[str, Meta(min_length=1, max_length=128)]


class ChannelSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How a channel name is served. `config`: `WebhookConfig` or `SmtpConfig` by kind, else none."""

    kind: ChannelKind
    config: dict[str, Any] = {}


class WebhookConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`secret` is a Standard Webhooks secret (`whsec_…`); one is made when it is left out.
    `concurrency` bounds the requests under way to this destination, per process."""

    url: Annotated[str, Meta(min_length=1, max_length=2000)]
    secret: Annotated[str, Meta(min_length=1, max_length=200)] | None = None
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 8


class SmtpConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """`security`: `tls` from the first byte, `starttls`, or `none` (local relays only)."""

    host: Annotated[str, Meta(min_length=1, max_length=253)]
    sender: Annotated[str, Meta(min_length=3, max_length=320)]
    port: Annotated[int, Meta(ge=1, le=65535)] = 587
    username: str | None = None
    password: str | None = None
    security: Literal["tls", "starttls", "none"] = "starttls"
    concurrency: Annotated[int, Meta(ge=1, le=64)] = 4


class CapSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """At most `max` marketing messages in any window of length `per`; on one channel, or on all."""

    per: DurationText
    max: Annotated[int, Meta(ge=0, le=1000)]
    channel: Key | None = None


class QuietHours(Struct, frozen=True, forbid_unknown_fields=True):
    """Local times `HH:MM` in the platform's time zone; `from` later than `to` spans midnight."""

    from_: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")] = field(name="from")
    to: Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]


class PressureSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """How much one person may be addressed. `quiet_hours` null: none."""

    caps: Annotated[list[CapSpec], Meta(max_length=20)] = []
    quiet_hours: QuietHours | None = None


class MessageTemplateSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Liquid texts; a value that is missing when rendering is reported with the action."""

    body: Annotated[str, Meta(min_length=1, max_length=20_000)]
    subject: Annotated[str, Meta(max_length=500)] = ""
    name: Annotated[str, Meta(max_length=200)] = ""


DEFAULT_PRESSURE: Final = PressureSpec(
    caps=[CapSpec("P7D", 3), CapSpec("P1D", 1)], quiet_hours=QuietHours("21:30", "09:00")
)
