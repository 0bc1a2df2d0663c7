"""What the facts of a profile are called, in what unit they are, and an example of each."""

from typing import Any, Final

from msgspec import Struct

from zhiyin.rules.paths import FactPath, locate
from zhiyin.rules.words.language import Words

_TIME: Final = "2026-03-01T08:00:00Z"


class FactWords(Struct, frozen=True):
    """`unit` None: a bare value, or (of money) the platform's currency."""

    name: Words
    unit: Words | None = None
    example: Any = None


def _said(zh: str, en: str, example: Any, unit: Words | None = None) -> FactWords:
    return FactWords(Words(zh, en), unit, example)


_ORDERS: Final = Words("单", "orders")
_EVENTS: Final = Words("次", "events")
_TICKETS: Final = Words("张工单", "tickets")
_PIECES: Final = Words("件", "pieces")
_DAYS: Final = Words("天", "days")
_WEEKS: Final = Words("周", "weeks")
_SCORE: Final = Words("分（1–5，无订单为 0）", "points (1–5, 0 without orders)")

FIXED: Final[dict[str, FactWords]] = {
    "profile_id": _said("客户编号", "profile id", "01980a3e-6c1f-7b52-9c55-0d7d3b8f2c11"),
    "version": _said("档案版本", "profile version", 7),
    "created_at": _said("首次见到的时间", "time first seen", _TIME),
    "updated_at": _said("档案更新时间", "time of the last update", _TIME),
    "as_of": _said("当前时间", "the current time", _TIME),
    "merged_from": _said("已并入的档案", "profiles merged in", ["01980a3e"]),
    "orders.count": _said("有效订单数", "number of orders", 3, _ORDERS),
    "orders.total": _said("累计净消费", "total net spend", "777.00"),
    "orders.average": _said("平均每单净消费", "average net spend per order", "259.00"),
    "orders.refunded": _said("累计退款", "total refunded", "0.00"),
    "orders.first_at": _said("首单时间", "time of the first order", _TIME),
    "orders.last_at": _said("最近一单时间", "time of the last order", _TIME),
    "rfm.r": _said("RFM 近度分", "RFM recency score", 5, _SCORE),
    "rfm.f": _said("RFM 频度分", "RFM frequency score", 3, _SCORE),
    "rfm.m": _said("RFM 金额分", "RFM monetary score", 4, _SCORE),
    "rfm.class": _said("RFM 分类", "RFM class", "high_value_loyal"),
    "rfm.tier": _said("价值层级", "value tier", "vip"),
    "quintiles.r": _said("近度五分位分", "recency score by quintile", 5, _SCORE),
    "quintiles.f": _said("频度五分位分", "frequency score by quintile", 3, _SCORE),
    "quintiles.m": _said("金额五分位分", "monetary score by quintile", 4, _SCORE),
    "quintiles.class": _said("五分位 RFM 分类", "RFM class by quintile", "high_value_loyal"),
    "quintiles.tier": _said("五分位价值层级", "value tier by quintile", "vip"),
    "lifecycle.stage": _said("生命周期阶段", "lifecycle stage", "repeat"),
    "lifecycle.since": _said("进入当前阶段的时间", "time the lifecycle stage began", _TIME),
    "gifts.orders": _said("送礼订单数", "number of gift orders", 1, _ORDERS),
    "gifts.total": _said("送礼消费", "spend on gifts", "300.00"),
    "gifts.last_at": _said("最近送礼时间", "time of the last gift order", _TIME),
    "price.sensitivity": _said("价格敏感度", "price sensitivity", "high"),
    "price.discounted_share": _said("优惠消费占比", "share of discounted spend", 0.4),
    "price.coupon_share": _said("用券订单占比", "share of orders with a coupon", 0.3),
    "price.discounted_orders": _said("优惠订单数", "discounted orders", 2, _ORDERS),
    "price.coupon_orders": _said("用券订单数", "orders with a coupon", 1, _ORDERS),
    "price.discount": _said("累计优惠", "total taken off", "20.00"),
    "preferred.channel": _said("偏好渠道", "preferred channel", "pos"),
    "preferred.store": _said("偏好门店", "preferred store", "S-1"),
    "preferred.hour": _said("偏好时段（几点）", "preferred hour of the day", 20),
    "life.child_months": _said("孩子月龄", "age of the youngest child", 7, Words("个月", "months")),
    "life.child_weeks": _said("孩子周龄", "age of the youngest child", 31, _WEEKS),
    "life.pregnancy_week": _said("孕周", "pregnancy", 12, _WEEKS),
    "life.due_at": _said("预产期", "due date", _TIME),
    "notes": _said("备注种类", "kinds of staff notes", ["taste_taboo"]),
    "browse.count": _said("浏览次数", "number of browse events", 12, _EVENTS),
    "browse.last_at": _said("最近浏览时间", "time of the last browse event", _TIME),
    "support.open_tickets": _said("未结工单数", "number of open tickets", 0, _TICKETS),
    "support.complaints": _said("投诉次数", "number of complaints", 1, _TICKETS),
    "support.open_complaints": _said("未结投诉数", "number of open complaints", 0, _TICKETS),
    "support.last_at": _said("最近联系客服时间", "time of the last support contact", _TIME),
    "support.rating": _said(
        "服务评分均值", "average support rating", 4.5, Words("分（1–5）", "points (1–5)")
    ),
    "tags": _said("标签", "list of tags", ["fitness-fan"]),
    "segments": _said("人群", "list of segments", ["dormant-90d"]),
    "reorder": _said("可预测复购的商品", "articles with a reorder date", ["EJ-250"]),
}
# Of facts whose name the customers' data decides; `*` stands for it.
NAMED: Final[dict[str, FactWords]] = {
    "attributes.value": _said("属性“*”", "attribute “*”", "杭州"),
    "attributes.source": _said("属性“*”的来源", "source of attribute “*”", "crm"),
    "attributes.at": _said("属性“*”的记录时间", "time attribute “*” was recorded", _TIME),
    "consents.granted": _said("对“*”的同意", "consent to “*”", True),
    "consents.source": _said("对“*”表态的来源", "source of the answer on “*”", "app"),
    "consents.at": _said("对“*”表态的时间", "time of the answer on “*”", _TIME),
    "categories.orders": _said("“*”类目的订单数", "orders with category “*”", 3, _ORDERS),
    "categories.quantity": _said("“*”类目的件数", "pieces of category “*”", 6, _PIECES),
    "categories.total": _said("“*”类目的消费", "spend on category “*”", "777.00"),
    "categories.last_at": _said(
        "最近购买“*”类目的时间", "time category “*” was last bought", _TIME
    ),
    "categories.gifts": _said("“*”类目的送礼订单数", "gift orders of category “*”", 1, _ORDERS),
    "categories.interval_days": _said(
        "“*”类目的购买间隔", "days between purchases of category “*”", 30.5, _DAYS
    ),
    "skus.orders": _said("商品“*”的自用订单数", "own orders of article “*”", 3, _ORDERS),
    "skus.quantity": _said("商品“*”的自用件数", "own pieces of article “*”", 6, _PIECES),
    "skus.last_at": _said("最近购买商品“*”的时间", "time article “*” was last bought", _TIME),
    "skus.interval_days": _said(
        "商品“*”的购买间隔", "days between purchases of article “*”", 30.5, _DAYS
    ),
    "reorder.due_at": _said("“*”预计用完的时间", "time “*” is due for reorder", _TIME),
    "identifiers": _said("“*”标识", "identifiers of kind “*”", ["M1001"]),
}
# What the values of a fact with few of them mean.
CHOICES: Final[dict[str, Words]] = {
    "high_value_loyal": Words("高价值忠诚", "high value, loyal"),
    "potential_growth": Words("潜力成长", "potential growth"),
    "new_or_small": Words("新客或小额", "new or small"),
    "churn_warning": Words("流失预警", "churn warning"),
    "none": Words("无订单", "without orders"),
    "lead": Words("潜客", "lead"),
    "new": Words("新客", "new"),
    "one_time": Words("一次购", "one-time"),
    "active": Words("活跃", "active"),
    "repeat": Words("复购", "repeat"),
    "loyal": Words("忠诚", "loyal"),
    "dormant": Words("沉睡", "dormant"),
    "lost": Words("流失", "lost"),
    "vip": Words("VIP", "VIP"),
    "potential": Words("潜力", "potential"),
    "ordinary": Words("普通", "ordinary"),
    "unknown": Words("未知", "unknown"),
    "low": Words("低", "low"),
    "medium": Words("中", "medium"),
    "high": Words("高", "high"),
}


def words_of(path: str) -> FactWords:
    """What a fact is called. Raises ValueError when there is no such fact."""
    fact = locate(path)
    if fact is None:
        raise ValueError(f"there is no fact {path!r}")
    if not fact.name:
        return FIXED.get(path) or FactWords(Words(path, path))
    found = NAMED.get(template_of(fact))
    return FactWords(Words(path, path)) if found is None else with_name(found, fact.name)


def template_of(fact: FactPath) -> str:
    """The key in `NAMED` of a fact that has a name."""
    return f"{fact.root}.{fact.field}" if fact.field else fact.root


def with_name(words: FactWords, name: str) -> FactWords:
    said = Words(words.name.zh.replace("*", name), words.name.en.replace("*", name))
    return FactWords(said, words.unit, words.example)
