"""People: new ones, the best ones, those who are not content."""

from typing import Final

from services.engagement.domain.playbooks.ready import (
    BOUGHT,
    Playbook,
    both,
    goal,
    money_off,
    say,
    task,
    unless_bought,
)

_FIRST: Final = money_off("first-10", 10, 39, "新人首单 10 元", "14d")

PLAYBOOKS: Final = (
    Playbook(
        key="first-order-coupon",
        group="new",
        name=("注册未购", "Signed up, not ordered"),
        about=(
            "留下资料三天还没有下单：送首单券。",
            "Known for three days and no order yet: a coupon for the first.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "customer.updated", "first": True},
            "where": {"fact": "orders.count", "op": "eq", "value": 0},
            "exit_on": BOUGHT,
            "steps": [{"wait": "3d"}, {"coupon": "first-10"}, say("first-order-coupon")],
            "goal": goal("14d"),
        },
        texts={
            "first-order-coupon": both(
                "第一单，我们请客 10 元",
                "认识您很高兴。第一单用这张券：%coupon%，14 天内有效。",
                "Your first order",
                "nice to meet you. For your first order: %coupon%, good for two weeks.",
            )
        },
        coupons=(_FIRST,),
    ),
    Playbook(
        key="new-customer-path",
        group="new",
        name=("新客 1·7·30", "New customers: days 1, 7, 30"),
        about=(
            "首单后第 1 天教用法，第 7 天问感受，第 30 天未复购再请回来。",
            "How to use it on day 1, how it is on day 7, an invitation back on day 30.",
        ),
        campaign={
            "trigger": {"on": "event", "type": "purchase.completed", "first": True},
            "priority": 68,
            "steps": [
                {"wait": "1d"},
                say("new-day-1"),
                {"wait": "6d"},
                say("new-day-7"),
                unless_bought("23d", say("new-day-30")),
            ],
            "goal": goal("60d"),
        },
        texts={
            "new-day-1": both(
                "怎样用最好", "谢谢您的第一单。小贴士：坚持每天一点，效果更好。",
                "Make the most of it", "thank you for your first order. A little every day helps.",
            ),
            "new-day-7": both(
                "一周了，感觉如何", "用了一周，感觉如何？有问题直接回复。",
                "One week on", "how is it after a week? Any question, just reply.",
            ),
            "new-day-30": both(
                "该续上了", "第一单已经一个月，是时候续上了。",
                "Time for more", "your first order was a month ago. Time for more?",
            ),
        },
    ),
    Playbook(
        key="second-order",
        group="new",
        name=("促第二单", "The second order"),
        about=(
            "首单一周、尚无第二单的顾客：推荐同好的选择。",
            "A week after the first order, with no second: what others chose.",
        ),
        campaign={
            "trigger": {"on": "segment.entered", "segment": "first-order-7d"},
            "where": {"fact": "orders.count", "op": "eq", "value": 1},
            "exit_on": BOUGHT,
            "steps": [say("second-order")],
            "goal": goal("21d"),
        },
        texts={
            "second-order": both(
                "和您口味相近的人还买了", "和您口味相近的人，第二次常选这些，点开看看。",
                "What people like you chose", "see what people with your taste chose next.",
            )
        },
    ),
    Playbook(
        key="vip-care",
        group="care",
        name=("VIP 关怀", "VIP care"),
        about=(
            "成为高价值忠诚顾客：致谢，并请导购一周内联系。",
            "On becoming a loyal customer of high value: thanks, and a task for the store.",
        ),
        campaign={
            "trigger": {"on": "segment.entered", "segment": "high-value-loyal"},
            "reentry": "P180D",
            "priority": 70,
            "holdout": 0,
            "steps": [
                say("vip-care"),
                task("VIP 问候", "近一年 {{ profile.orders.count }} 单，请亲自问候。", "7d"),
            ],
        },
        texts={
            "vip-care": both(
                "谢谢一直有您", "谢谢您一直以来的信任。专属顾问会与您联系，有事随时找我们。",
                "Thank you", "thank you for your trust. Your personal adviser will be in touch.",
            )
        },
    ),
    Playbook(
        key="vip-at-risk",
        group="care",
        name=("大客户流失预警", "A big spender falls silent"),
        about=(
            "年消费过万的顾客进入流失预警：请导购一天内联系。",
            "Somebody who spends over ten thousand falls silent: a task for the store.",
        ),
        campaign={
            "trigger": {"on": "segment.entered", "segment": "churn-warning"},
            "where": {"fact": "orders.total", "op": "gte", "value": "10000"},
            "reentry": "P90D",
            "priority": 85,
            "holdout": 0,
            "steps": [task("联系大客户", "上一单 {{ profile.orders.last_at }}，请了解近况。")],
            "goal": goal("30d"),
        },
        texts={},
    ),
    Playbook(
        key="low-rating",
        group="care",
        name=("低分回访", "Low rating"),
        about=(
            "服务评分 2 分及以下：立即致歉，并请人回访。不是营销。",
            "Two points or fewer: an apology at once and a call back. Not marketing.",
        ),
        campaign={
            "purpose": "care",
            "trigger": {"on": "event", "type": "support.rated", "where": {"score": {"lte": 2}}},
            "reentry": "P7D",
            "priority": 95,
            "steps": [
                say("low-rating"),
                task("低分回访", "工单 {{ trigger.ticket_id }}，评分 {{ trigger.score }}。", "4h"),
            ],
        },
        texts={
            "low-rating": both(
                "很抱歉没能让您满意", "您的评价我们看到了，很抱歉。稍后有专人与您联系。",
                "We are sorry", "we have seen your rating and are sorry. Somebody will call you.",
            )
        },
    ),
)  # fmt: skip
