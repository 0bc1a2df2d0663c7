"""Win-back with reasons: asked why they stay away, and offered what meets that reason."""

from decimal import Decimal
from typing import Any, Final

from services.engagement.domain.playbooks.ready import BOUGHT, Playbook, both, goal, say
from zhiyin.contracts.campaigns import CouponTemplateSpec
from zhiyin.contracts.surveys import InBoth, Reason, SurveySpec

_SURVEY: Final = "win-back"
_ANSWERED: Final = "custom.survey_answered"
_ASK: Final = SurveySpec(
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
_COUPONS: Final = (
    CouponTemplateSpec(
        key="member-12-off", kind="percent", value=12, name="会员回归 88 折",
        minimum=Decimal(99), per_person=2, valid="30d",
    ),
    CouponTemplateSpec(
        key="trial-pack", kind="trial", value="TRIAL-PACK", name="体验装",
        per_person=1, valid="30d", cost=Decimal(15),
    ),
)  # fmt: skip


def _said(reason: str) -> dict[str, Any]:
    """Whether that was just answered: the step follows the answer at once."""
    where = {"survey": _SURVEY, "reason": reason}
    return {"last": {"event": _ANSWERED, "where": where}, "newer_than": "1h"}


def _branch(*choices: tuple[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The steps of the reason that was given; of the last where it is none of those before."""
    (reason, steps), *others = choices
    if not others:
        return steps
    return [{"if": _said(reason), "then": steps, "else": _branch(*others)}]


PLAYBOOKS: Final = (
    Playbook(
        key="win-back-survey",
        group="win-back",
        name=("问因唤醒", "Win back by asking why"),
        about=(
            "90 天没有购买：先问原因。价格送会员折扣，效果送体验装与指南，替代品讲差异。",
            "Ninety days without an order: asked why, then a discount, a trial pack with a guide, "
            "or what makes us different.",
        ),
        campaign={
            "trigger": {"on": "segment.entered", "segment": "dormant-90d"},
            "reentry": "P180D",
            "exit_on": BOUGHT,
            "goal": goal("30d"),
            "steps": [
                say("survey-ask"),
                {
                    "wait_for": {"event": _ANSWERED, "where": {"survey": _SURVEY}},
                    "timeout": "14d",
                    "then": _branch(
                        ("price", [{"coupon": "member-12-off"}, say("survey-price")]),
                        ("effect", [{"coupon": "trial-pack"}, say("survey-effect")]),
                        ("substitute", [say("survey-substitute")]),
                        ("other", [say("survey-other")]),
                    ),
                },
            ],
        },
        texts={
            "survey-ask": both(
                "想听听您的真心话",
                "好久不见。花 10 秒告诉我们原因：{{ surveys['win-back'] }}",
                "We would like to hear from you",
                "it has been a while. Tell us why in ten seconds: {{ surveys['win-back'] }}",
            ),
            "survey-price": both(
                "为您准备的会员价",
                "这张会员 88 折券请收下：{{ coupon.code }}，满 {{ coupon.minimum }} 元可用。",
                "A member's price for you",
                "here is 12% off: {{ coupon.code }}, from {{ coupon.minimum }} yuan on.",
            ),
            "survey-effect": both(
                "换个方式，再试一次",
                "效果与用法、周期有关。送您体验装（券码 {{ coupon.code }}）和使用指南。",
                "Another try, another way",
                "how and how long matters. A trial pack ({{ coupon.code }}) and a guide are yours.",
            ),
            "survey-substitute": both(
                "我们有什么不一样",
                "多比较是对的。我们坚持原产地直采、批批检测，想请您看看这背后的故事。",
                "What makes us different",
                "comparing is right. We buy at the source and test each batch: have a look.",
            ),
            "survey-other": both(
                "谢谢您告诉我们",
                "您的话我们记下了。需要任何帮助，直接回复即可，专人为您处理。",
                "Thank you for telling us",
                "we have noted what you said. Just reply if there is anything we can do.",
            ),
        },
        coupons=_COUPONS,
        surveys={_SURVEY: _ASK},
    ),
)
