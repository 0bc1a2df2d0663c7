"""Those who stay away, asked back in stages."""

from typing import Final

from services.engagement.domain.playbooks.ready import (
    BOUGHT,
    Playbook,
    both,
    goal,
    money_off,
    say,
)

_BACK: Final = money_off("back-50", 50, 159, "重逢礼 50 元", "30d")
_FAREWELL: Final = {"last": {"event": "purchase.completed"}, "older_than": "365d"}

PLAYBOOKS: Final = (
    Playbook(
        key="win-back-stage-1",
        group="win-back",
        name=("唤醒一：想念", "Win-back, stage one"),
        about=(
            "进入流失预警（60 天以上未购）：先问候，不送券。",
            "On a churn warning (over 60 days): a greeting, no coupon yet.",
        ),
        campaign={
            "trigger": {"on": "segment.entered", "segment": "churn-warning"},
            "reentry": "P60D",
            "exit_on": BOUGHT,
            "steps": [say("win-back-stage-1")],
            "goal": goal("21d"),
        },
        texts={
            "win-back-stage-1": both(
                "最近还好吗", "有一阵没见到您了，最近上了几款新品，来看看？",
                "It has been a while", "we have not seen you for a while. See what is new.",
            )
        },
    ),
    Playbook(
        key="win-back-stage-2",
        group="win-back",
        name=("唤醒二：重逢礼", "Win-back, stage two"),
        about=(
            "半年未购：送大额券；再过半年，最后一封信，之后不再打扰。",
            "Half a year without an order: a large coupon; after a year a last letter.",
        ),
        campaign={
            "trigger": {"on": "segment.entered", "segment": "dormant"},
            "reentry": "P365D",
            "exit_on": BOUGHT,
            "steps": [
                {"coupon": "back-50"},
                say("win-back-stage-2"),
                {"wait": "185d"},
                {"if": _FAREWELL, "then": [say("win-back-farewell")]},
            ],
            "goal": goal("30d"),
        },
        texts={
            "win-back-stage-2": both(
                "一份重逢礼", "半年没见，备了一份重逢礼：%coupon%，30 天内有效。",
                "Welcome back", "after half a year, a present to come back: %coupon%, for 30 days.",
            ),
            "win-back-farewell": both(
                "最后一封信", "一年没有您的消息，以后不再打扰。想回来时，我们都在。",
                "A last letter", "a year without word from you: we shall not disturb you any more. "
                "You are welcome any time.",
            ),
        },
        coupons=(_BACK,),
    ),
)  # fmt: skip
