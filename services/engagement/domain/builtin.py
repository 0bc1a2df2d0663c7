"""The campaigns, coupons, channels and texts every platform starts with. Operators may change or
end each of them; what is changed is never put back."""

from decimal import Decimal
from typing import Final

from zhiyin.contracts.campaigns import (
    CampaignSpec,
    CouponTemplateSpec,
    EventMatch,
    EventTrigger,
    GoalSpec,
    MessageStep,
    MessageTemplateSpec,
    ReorderDueTrigger,
    SegmentEnteredTrigger,
    StepSpec,
)

# Channels that reach people, before anybody has configured a provider: they write to the log.
CHANNELS: Final = ("push", "sms", "email", "inbox", "log")

COUPONS: Final = (
    CouponTemplateSpec(
        key="back-30",
        kind="amount",
        value="30.00",
        name="回归礼 30 元",
        minimum=Decimal(99),
        per_person=4,
        valid="30d",
    ),
    CouponTemplateSpec(
        key="second-order-15",
        kind="amount",
        value="15.00",
        name="二次购礼 15 元",
        minimum=Decimal(69),
        per_person=1,
        valid="14d",
    ),
)

_DEAR: Final = "{{ profile.attributes.name.value | default: '亲爱的顾客' }}"
_COUPON: Final = "满 {{ coupon.minimum }} 元减 {{ coupon.value }} 元，券码 {{ coupon.code }}"

TEMPLATES: Final = {
    "win-back": MessageTemplateSpec(
        name="唤醒礼",
        subject="好久不见，送您一份回归礼",
        body=f"{_DEAR}，好久不见。为您备了一张回归券：{_COUPON}，30 天内有效。",
    ),
    "win-back-2": MessageTemplateSpec(
        name="唤醒礼·再提醒",
        subject="您的回归券还在等您",
        body=f"{_DEAR}，您的回归券还没有用：{_COUPON}。不合心意？回复告诉我们原因。",
    ),
    "reorder": MessageTemplateSpec(
        name="补货提醒",
        subject="您常用的好物快用完了",
        body=f"{_DEAR}，按您的用量，{{{{ trigger.sku }}}} 大约几天后用完，现在下单正好接上。",
    ),
    "welcome": MessageTemplateSpec(
        name="首单欢迎",
        subject="谢谢您的第一次选择",
        body=f"{_DEAR}，谢谢您的第一单。下一次：{_COUPON}，14 天内有效。",
    ),
    "complaint-received": MessageTemplateSpec(
        name="投诉受理",
        subject="我们收到了您的反馈",
        body=f"{_DEAR}，很抱歉给您添麻烦了。您的问题（{{{{ trigger.ticket_id }}}}）已有专人跟进。",
    ),
    "complaint-follow-up": MessageTemplateSpec(
        name="投诉回访",
        subject="您的问题解决得还满意吗",
        body=f"{_DEAR}，您的问题已处理完毕。是否满意？直接回复即可，我们会再跟进。",
    ),
}


def _message(template: str, channel: str = "auto") -> StepSpec:
    return StepSpec(message=MessageStep(template=template, channel=channel))


WIN_BACK: Final = CampaignSpec(
    key="win-back-90d",
    name="唤醒礼",
    description="90 天没有购买的顾客：送券，七天没有回来再提醒一次。",
    trigger=SegmentEnteredTrigger("dormant-90d"),
    where={"fact": "orders.total", "op": "gte", "value": "200"},
    reentry="P180D",
    holdout=0.1,
    steps=[
        StepSpec(coupon="back-30"),
        _message("win-back"),
        StepSpec(
            wait_for=EventMatch("purchase.completed"), timeout="7d", else_=[_message("win-back-2")]
        ),
    ],
    exit_on=EventMatch("purchase.completed"),
    goal=GoalSpec("purchase.completed", within="14d"),
)

REORDER: Final = CampaignSpec(
    key="reorder-reminder",
    name="补货提醒",
    description="自用商品将用完前三天提醒；在任何渠道买过就不再提醒。",
    trigger=ReorderDueTrigger(lead="3d"),
    priority=60,
    steps=[_message("reorder")],
    goal=GoalSpec("purchase.completed", within="7d"),
)

WELCOME: Final = CampaignSpec(
    key="welcome-first-order",
    name="首单欢迎",
    description="第一单之后：欢迎，并送下一单的券。",
    trigger=EventTrigger("purchase.completed", first=True),
    where={"fact": "orders.count", "op": "gte", "value": 1},
    priority=70,
    steps=[StepSpec(coupon="second-order-15"), _message("welcome")],
    goal=GoalSpec("purchase.completed", within="30d"),
)

COMPLAINT_CARE: Final = CampaignSpec(
    key="complaint-care",
    name="投诉关怀",
    description="投诉一开即致歉，解决后回访。不是营销：不受营销同意与频次限制。",
    purpose="care",
    trigger=EventTrigger("support.opened", {"kind": "complaint"}),
    priority=100,
    steps=[
        _message("complaint-received"),
        StepSpec(
            wait_for=EventMatch("support.resolved", {"ticket_id": {"trigger": "ticket_id"}}),
            timeout="14d",
            then=[_message("complaint-follow-up")],
        ),
    ],
)

CAMPAIGNS: Final = (WIN_BACK, REORDER, WELCOME, COMPLAINT_CARE)
