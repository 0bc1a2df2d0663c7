"""Days: birthdays, festivals by the sun and by the moon."""

from typing import Any, Final

from services.engagement.domain.playbooks.ready import Playbook, both, goal, money_off, say

_ORDERED: Final = {"fact": "orders.count", "op": "gte", "value": 1}


def _festival(
    key: str, offset: str, name: tuple[str, str], zh: tuple[str, str], en: tuple[str, str]
) -> Playbook:
    days = offset.strip("-d")
    campaign: dict[str, Any] = {
        "trigger": {"on": "date", "festival": key, "offset": offset, "at": "10:00"},
        "where": _ORDERED,
        "priority": 55,
        "steps": [say(f"festival-{key}")],
        "goal": goal("10d"),
    }
    return Playbook(
        key=f"festival-{key}",
        group="days",
        name=name,
        about=(
            f"{name[0]}前 {days} 天，问候买过的顾客。",
            f"{days} days before, to whoever has ordered.",
        ),
        campaign=campaign,
        texts={f"festival-{key}": both(*zh, *en)},
    )


PLAYBOOKS: Final = (
    Playbook(
        key="birthday",
        group="days",
        name=("生日礼", "Birthday"),
        about=("生日前三天送券。", "A coupon three days before the birthday."),
        campaign={
            "trigger": {"on": "date", "fact": "attributes.birthday", "offset": "-3d"},
            "priority": 75,
            "steps": [{"coupon": "birthday-30"}, say("birthday")],
            "goal": goal("14d"),
        },
        texts={
            "birthday": both(
                "生日快乐",
                "提前祝您生日快乐！一点心意：%coupon%，本月有效。",
                "Happy birthday",
                "an early happy birthday! A small present: %coupon%.",
            )
        },
        coupons=(money_off("birthday-30", 30, 99, "生日礼 30 元", "20d"),),
    ),
    Playbook(
        key="child-birthday",
        group="days",
        name=("宝贝生日", "The child's birthday"),
        about=("孩子生日前一周送上祝福。", "A week before the child's birthday."),
        campaign={
            "trigger": {"on": "date", "fact": "attributes.child_birthday", "offset": "-7d"},
            "steps": [say("child-birthday")],
            "goal": goal("10d"),
        },
        texts={
            "child-birthday": both(
                "宝贝又长大一岁",
                "下周是宝贝的生日，祝宝贝健康成长！",
                "A year older",
                "it is your child's birthday next week. All the best!",
            )
        },
    ),
    _festival(
        "spring-festival", "-14d", ("年货节", "Spring festival"),
        ("年货，早备早安心", "春节将至，常买的坚果、礼盒已备齐，节前照常发货。"),
        ("Spring festival", "nuts and gift boxes are ready, and ship until the festival."),
    ),
    _festival(
        "dragon-boat", "-7d", ("端午问候", "Dragon boat festival"),
        ("端午安康", "粽叶飘香，祝您和家人端午安康。"),
        ("Dragon boat festival", "a healthy dragon boat festival to you and yours."),
    ),
    _festival(
        "mid-autumn", "-10d", ("中秋团圆", "Mid-autumn"),
        ("月圆人团圆", "中秋将至，给家人带一份心意，礼盒现已上架。"),
        ("Mid-autumn", "the moon festival is near; gift boxes for the family are here."),
    ),
    _festival(
        "mothers-day", "-7d", ("母亲节", "Mother's day"),
        ("给妈妈的一份心意", "母亲节就要到了，给妈妈带一份滋补的心意。"),
        ("Mother's day", "mother's day is near. Something good for her?"),
    ),
    _festival(
        "double-11", "-3d", ("双十一预告", "Double eleven"),
        ("双十一，老朋友先知道", "双十一将至，您常买的好物提前为您留好。"),
        ("Double eleven", "double eleven is near; what you like is set aside for you."),
    ),
)  # fmt: skip
