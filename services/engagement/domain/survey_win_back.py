"""Win-back with reasons: asked why they stay away, and offered what meets that reason. Ready, and
off until somebody launches it."""

from decimal import Decimal
from typing import Any, Final

from zhiyin.contracts.campaigns import (
    CampaignSpec,
    CouponTemplateSpec,
    EventMatch,
    GoalSpec,
    MessageStep,
    MessageTemplateSpec,
    SegmentEnteredTrigger,
    StepSpec,
)
from zhiyin.contracts.channels import TemplateVariant
from zhiyin.contracts.surveys import InBoth, Reason, SurveySpec

KEY: Final = "win-back-survey"
SURVEY: Final = SurveySpec(
    title=InBoth("说说您的想法", "Tell us what you think"),
    question=InBoth(
        "好久不见。最近没有再来，主要是因为？", "It has been a while. What kept you away?"
    ),
    reasons=[
        Reason("price", InBoth("价格偏高", "The price")),
        Reason("effect", InBoth("没感到明显效果", "I did not notice an effect")),
        Reason("substitute", InBoth("选了别家的产品", "I found something else")),
        Reason("other", InBoth("其他原因", "Something else")),
    ],
    thanks=InBoth(
        "谢谢您的坦诚。我们会认真对待，并很快给您回音。",
        "Thank you for being open with us. You will hear from us soon.",
    ),
)
COUPONS: Final = (
    CouponTemplateSpec(
        key="member-12-off", kind="percent", value=12, name="会员回归 88 折",
        minimum=Decimal(99), per_person=2, valid="30d",
    ),
    CouponTemplateSpec(
        key="trial-pack", kind="trial", value="TRIAL-PACK", name="体验装",
        per_person=1, valid="30d", cost=Decimal(15),
    ),
)  # fmt: skip

_DEAR: Final = "{{ profile.attributes.name.value | default: '亲爱的顾客' }}"
_DEAR_EN: Final = "Dear {{ profile.attributes.name.value | default: 'customer' }}"


def _in_both(
    name: str, subject: str, body: str, subject_en: str, body_en: str
) -> MessageTemplateSpec:
    english = TemplateVariant(language="en", subject=subject_en, body=f"{_DEAR_EN}, {body_en}")
    return MessageTemplateSpec(
        name=name, subject=subject, body=f"{_DEAR}，{body}", variants=[english]
    )


TEMPLATES: Final = {
    "survey-ask": _in_both(
        "流失原因调查",
        "想听听您的真心话",
        "好久不见。花 10 秒告诉我们原因：{{ surveys['win-back'] }}",
        "We would like to hear from you",
        "it has been a while. Tell us why in ten seconds: {{ surveys['win-back'] }}",
    ),
    "survey-price": _in_both(
        "价格原因·会员折扣",
        "为您准备的会员价",
        "您说价格偏高，这张会员 88 折券请收下：{{ coupon.code }}，满 {{ coupon.minimum }} 元可用。",
        "A member's price for you",
        "here is 12% off for members: {{ coupon.code }}, from {{ coupon.minimum }} yuan on.",
    ),
    "survey-effect": _in_both(
        "效果原因·体验装与指南",
        "换个方式，再试一次",
        "效果与用法、周期有关。送您体验装（券码 {{ coupon.code }}）和使用指南，30 天内可领。",
        "Another try, another way",
        "how and how long matters. A trial pack ({{ coupon.code }}) and a guide are yours.",
    ),
    "survey-substitute": _in_both(
        "替代品原因·差异故事",
        "我们有什么不一样",
        "多比较是对的。我们坚持原产地直采、批批检测、七天无理由退换，想请您看看这背后的故事。",
        "What makes us different",
        "comparing is right. We buy at the source, test each batch, and take it back in 7 days.",
    ),
    "survey-other": _in_both(
        "其他原因·致谢",
        "谢谢您告诉我们",
        "您的话我们记下了。需要任何帮助，直接回复即可，专人为您处理。",
        "Thank you for telling us",
        "we have noted what you said. Just reply if there is anything we can do.",
    ),
}


def _said(reason: str) -> dict[str, Any]:
    """Whether that was the newest answer: the step follows it at once."""
    where = {"survey": "win-back", "reason": reason}
    return {
        "last": {"event": "custom.survey_answered", "where": where},
        "newer_than": "1h",
    }


def _message(template: str) -> StepSpec:
    return StepSpec(message=MessageStep(template=template))


CAMPAIGN: Final = CampaignSpec(
    key=KEY,
    name="问因唤醒",
    description="90 天没有购买：先问原因。价格送会员折扣，效果送体验装与指南，替代品讲差异。",
    trigger=SegmentEnteredTrigger("dormant-90d"),
    reentry="P180D",
    holdout=0.1,
    steps=[
        _message("survey-ask"),
        StepSpec(
            wait_for=EventMatch("custom.survey_answered", {"survey": "win-back"}),
            timeout="14d",
            then=[
                StepSpec(
                    if_=_said("price"),
                    then=[StepSpec(coupon="member-12-off"), _message("survey-price")],
                    else_=[
                        StepSpec(
                            if_=_said("effect"),
                            then=[StepSpec(coupon="trial-pack"), _message("survey-effect")],
                            else_=[
                                StepSpec(
                                    if_=_said("substitute"),
                                    then=[_message("survey-substitute")],
                                    else_=[_message("survey-other")],
                                )
                            ],
                        )
                    ],
                )
            ],
        ),
    ],
    exit_on=EventMatch("purchase.completed"),
    goal=GoalSpec("purchase.completed", within="30d"),
)
