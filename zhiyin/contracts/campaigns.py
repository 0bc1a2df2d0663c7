"""Campaigns as operators define them: who enters when, and the journey that follows.

Durations are texts such as `7d` or `P7D`, money is a decimal text or number; the engagement service
checks what a type alone cannot say (rules, durations, unknown templates) and points at the place.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.channels import (
    ChannelKind,
    ChannelSpec,
    MessageTemplateSpec,
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
from zhiyin.contracts.experiments import DEFAULT_EXPERIMENTS, ExperimentsSpec
from zhiyin.contracts.pressure import (
    DEFAULT_PRESSURE,
    CapSpec,
    HoldingSpec,
    PressureSpec,
    QuietHours,
)
from zhiyin.contracts.segments import KEY_PATTERN, Key
from zhiyin.contracts.steps import (
    AUTO_CHANNEL,
    STEP_KINDS,
    EventMatch,
    MessageStep,
    PointsStep,
    SplitArm,
    StepSpec,
    TagStep,
    TaskStep,
    WaitUntil,
    WebhookStep,
)
from zhiyin.contracts.triggers import (
    BroadcastTrigger,
    DateTrigger,
    DurationText,
    EventTrigger,
    EventType,
    ReorderDueTrigger,
    ScheduleTrigger,
    SegmentEnteredTrigger,
    SegmentLeftTrigger,
    TagAddedTrigger,
    TriggerSpec,
)

# Whoever talks to the engagement service finds all its bodies here.
__all__ = [
    "AUTO_CHANNEL",
    "DEFAULT_EXPERIMENTS",
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
    "ExperimentsSpec",
    "GoalSpec",
    "HoldingSpec",
    "LaunchSpec",
    "MessageStep",
    "MessageTemplateSpec",
    "PointsStep",
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
    "TagStep",
    "TaskStep",
    "TriggerSpec",
    "WaitUntil",
    "WebhookConfig",
    "WebhookStep",
]

# A brand as operators name it in campaigns and in what keys and operators may see.
Brand = Annotated[str, Meta(pattern=KEY_PATTERN)]
Title = Annotated[str, Meta(min_length=1, max_length=200)]
Purpose = Literal["marketing", "transactional", "care"]
CampaignState = Literal["draft", "approved", "live", "paused", "ended"]


class GoalSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """What the campaign is for: counted when it happens within `within` of entering."""

    event: EventType
    where: dict[str, Any] = {}
    within: DurationText = "14d"


class CampaignSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A campaign: who enters when, and what then happens to them.

    `where` is a rule over the person at the moment of entering; `reentry` how long after the last
    entry somebody may enter again (absent: once they are out, the next occurrence enters them);
    `holdout` the share (0–0.9) that is left alone, for comparison (absent: the platform's default
    for marketing, 0.1 unless changed, otherwise none); `priority` 0–100; `brand` whose it is: keys
    and operators bound to brands see and change only theirs; `inside`: what a new version means for
    those on their way: they `keep` theirs, or `move` to it where the step they stand at is in it;
    `pressure`: what becomes of messages that may not go out yet.
    """

    key: Key
    name: Title
    trigger: TriggerSpec
    steps: Annotated[list[StepSpec], Meta(min_length=1, max_length=100)]
    purpose: Purpose = "marketing"
    where: Any = None
    reentry: DurationText | None = None
    holdout: Annotated[float, Meta(ge=0, le=0.9)] | None = None
    priority: Annotated[int, Meta(ge=0, le=100)] = 50
    exit_on: EventMatch | None = None
    goal: GoalSpec | None = None
    description: Annotated[str, Meta(max_length=2000)] = ""
    brand: Brand | None = None
    inside: Literal["keep", "move"] = "keep"
    pressure: HoldingSpec = HoldingSpec()


class LaunchSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`include_current_members` also enters those who are in the trigger's segment already."""

    include_current_members: bool = False
