"""The steps a campaign takes with those who entered it."""

from typing import Annotated, Any, Final, Literal

from msgspec import Meta, Struct, field

from zhiyin.contracts.segments import Key
from zhiyin.contracts.triggers import ClockTime, DurationText, EventType, TagText

AUTO_CHANNEL: Final = "auto"
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "workday", "holiday"]
Points = Annotated[int, Meta(ge=1, le=1_000_000)]


class EventMatch(Struct, frozen=True, forbid_unknown_fields=True):
    """An event of a type whose properties match `where`."""

    event: EventType
    where: dict[str, Any] = {}


class MessageStep(Struct, frozen=True, forbid_unknown_fields=True):
    """`channel` is a channel's name, or `auto` for the best one that reaches the person; `when`:
    `best_hour` waits for the hour of the next 24 in which the person is most active."""

    template: Key
    channel: Key = AUTO_CHANNEL
    when: Literal["now", "best_hour"] = "now"


class WebhookStep(Struct, frozen=True, forbid_unknown_fields=True):
    """`channel` names a channel of kind webhook; `data` is sent along as it is."""

    channel: Key
    data: dict[str, Any] = {}


class WaitUntil(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Until the person's clock next shows `until`, `after` from now at the earliest, on one of the
    days `on` (none: on any). `workday` and `holiday` go by the Chinese calendar: days off are
    weekends and public holidays, without the weekends that are worked in exchange (where those
    are published)."""

    until: ClockTime
    on: Annotated[list[Day], Meta(max_length=9)] = []
    after: DurationText | None = None


class PointsStep(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    amount: Points
    reason: Annotated[str, Meta(max_length=200)] = ""


class TagStep(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Either `add` (for the length of `lasts`, if given) or `remove`."""

    add: TagText | None = None
    remove: TagText | None = None
    lasts: DurationText | None = None


class TaskStep(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something for staff to do: `title` and `note` are Liquid texts; `due`: within how long;
    `assignee` or `team`: whose it is."""

    title: Annotated[str, Meta(min_length=1, max_length=200)]
    note: Annotated[str, Meta(max_length=2000)] = ""
    assignee: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    team: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    due: DurationText = "24h"


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

    - `coupon`: key of a coupon template
    - `points`: how many, or `{"amount", "reason"}`
    - `tag`: the tag to set, or `{"add", "lasts"?}`, or `{"remove"}`
    - `wait`: how long, or `{"until", "on"?, "after"?}`
    - `wait_for`: an event; when it comes the journey goes through `then`, after `timeout` through
      `else`, and either way on to the next step
    - `if`: a rule over the person; `then` or `else` follows
    - `split`: arms by weight; a person always falls into the same one
    """

    coupon: Key | None = None
    message: MessageStep | None = None
    webhook: WebhookStep | None = None
    points: Points | PointsStep | None = None
    tag: TagText | TagStep | None = None
    task: TaskStep | None = None
    wait: DurationText | WaitUntil | None = None
    wait_for: EventMatch | None = None
    timeout: DurationText | None = None
    if_: Any = field(name="if", default=None)
    then: "list[StepSpec]" = []
    else_: "list[StepSpec]" = field(name="else", default_factory=list)
    split: list[SplitArm] | None = None
