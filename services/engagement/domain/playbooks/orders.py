"""After orders: what goes with them, what runs out, what people think of them."""

from typing import Final

from services.engagement.domain.playbooks.ready import (
    Playbook,
    both,
    goal,
    money_off,
    say,
    task,
    unless_bought,
)

_CROSS: Final = money_off("nuts-8", 8, 49, "坚果搭配券 8 元", "3d")
_SAME: Final = {"event": "purchase.completed", "where": {"sku": {"trigger": "sku"}}}

PLAYBOOKS: Final = (
    Playbook(
        key="cross-sell-nuts",
        group="orders",
        name=("果蔬配坚果", "Nuts with vegetables"),
        about=(
            "买了果蔬、三天内没有买坚果：第二天送搭配券。",
            "Bought vegetables and no nuts: a coupon the next day, good for three.",
        ),
        campaign={
            "trigger": {
                "on": "event", "type": "purchase.completed",
                "where": {"category": ["果蔬", "蔬菜", "果干", "VEGETABLES"]},
            },
            "reentry": "P30D",
            "priority": 45,
            "steps": [
                unless_bought("20h", {"coupon": "nuts-8"}, say("cross-sell-nuts"), category="坚果")
            ],
            "goal": goal("3d", category="坚果"),
        },
        texts={
            "cross-sell-nuts": both(
                "果蔬配坚果，营养更均衡",
                "您刚买的果蔬，配一把坚果更均衡：%coupon%，三天内有效。",
                "Nuts go with it",
                "a handful of nuts goes well with what you bought: %coupon%, for three days.",
            )
        },
        coupons=(_CROSS,),
    ),
    Playbook(
        key="reorder-escalation",
        group="orders",
        name=("补货三步", "Reorder in three steps"),
        about=(
            "用完前三天提醒；五天没买再提醒；再过七天请导购联系。同类商品买过即止。",
            "Three days before it runs out, again five days later, then a task for the store. "
            "Anything of the category will do.",
        ),
        campaign={
            "trigger": {"on": "reorder.due", "lead": "3d", "substitutes": "category"},
            "priority": 60,
            "exit_on": _SAME,
            "steps": [
                say("reorder-1"),
                {"wait": "5d"},
                say("reorder-2"),
                {"wait": "7d"},
                task(
                    "联系顾客补货 {{ trigger.sku }}",
                    "{{ trigger.due_at }} 用完（依据 {{ trigger.basis }}，{{ trigger.sure }}）。",
                    "3d",
                ),
            ],
            "goal": {**_SAME, "where": {}, "within": "15d"},
        },
        texts={
            "reorder-1": both(
                "您常用的好物快用完了",
                "按您的用量，{{ trigger.sku }} 大约几天后用完，现在下单正好接上。",
                "Running low",
                "by your own rhythm {{ trigger.sku }} lasts a few more days. Order now to go on.",
            ),
            "reorder-2": both(
                "别断了好习惯",
                "{{ trigger.sku }} 应该已经用完。需要换个规格或口味吗？回复我们。",
                "Do not run out",
                "{{ trigger.sku }} should be used up by now. Another size or taste? Just reply.",
            ),
        },
    ),
    Playbook(
        key="ask-review",
        group="orders",
        name=("请您评价", "Ask for a review"),
        about=(
            "下单七天后请评价；一个月内只问一次。",
            "A week after an order; once a month at most.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "purchase.completed"},
            "reentry": "P30D",
            "priority": 20,
            "holdout": 0,
            "steps": [{"wait": "7d"}, say("ask-review")],
            "goal": {"event": "community.reviewed", "within": "14d"},
        },
        texts={
            "ask-review": both(
                "用得还好吗",
                "上周的商品用得还好吗？写两句评价，帮到更多人。",
                "How was it",
                "how do you like what you bought last week? A line or two helps others.",
            )
        },
    ),
    Playbook(
        key="refund-care",
        group="care",
        name=("退款关怀", "After a refund"),
        about=(
            "退款次日致歉并询问原因。不是营销。",
            "An apology and a question the day after a refund. Not marketing.",
        ),
        campaign={
            "purpose": "care",
            "trigger": {"on": "event", "type": "purchase.refunded"},
            "reentry": "P14D",
            "priority": 80,
            "steps": [{"wait": "1d"}, say("refund-care")],
        },
        texts={
            "refund-care": both(
                "没能让您满意，很抱歉",
                "您的退款（{{ trigger.order_id }}）已受理。哪里没做好？直接回复告诉我们。",
                "We are sorry",
                "your refund ({{ trigger.order_id }}) is under way. What went wrong? Just reply.",
            )
        },
    ),
)  # fmt: skip
