"""The segments every platform has from its first start. Operators may give them a new rule."""

from typing import Any, Final

from zhiyin.contracts.segments import SegmentSpec


def _class(value: str) -> dict[str, Any]:
    return {"fact": "rfm.class", "op": "eq", "value": value}


BUILT_IN: Final[tuple[SegmentSpec, ...]] = (
    SegmentSpec(
        "high-value-loyal",
        "高价值忠诚",
        _class("high_value_loyal"),
        "Bought lately, often and much (R≥4, F≥4, M≥4).",
    ),
    SegmentSpec(
        "potential-growth",
        "潜力成长",
        _class("potential_growth"),
        "Bought lately and well, not yet often (R≥4, F≤3, M≥3).",
    ),
    SegmentSpec(
        "churn-warning",
        "流失预警",
        _class("churn_warning"),
        "Last order 61 to 180 days ago (R 2 or 3).",
    ),
    SegmentSpec("dormant", "沉睡", _class("dormant"), "Last order over 180 days ago (R=1)."),
    SegmentSpec(
        "new-or-small",
        "新客或小额",
        _class("new_or_small"),
        "Bought lately, little so far (R≥4, otherwise).",
    ),
    SegmentSpec(
        "new-customers",
        "新客",
        {"fact": "lifecycle.stage", "op": "eq", "value": "new"},
        "One order, at most 30 days ago.",
    ),
    SegmentSpec(
        "first-order-7d",
        "首单 7 天",
        {
            "all": [
                {"fact": "orders.first_at", "op": "older_than", "value": "7d"},
                {"fact": "orders.first_at", "op": "newer_than", "value": "30d"},
            ]
        },
        "The follow-up window: entered 7 days after the first order, left 30 days after it.",
    ),
    SegmentSpec(
        "dormant-90d",
        "90 天未购",
        {"fact": "orders.last_at", "op": "older_than", "value": "90d"},
        "Has ordered, but not for more than 90 days (cancelled orders left out).",
    ),
    SegmentSpec(
        "loyal-10-a-year",
        "年购 10 次",
        {"fact": "rfm.f", "op": "gte", "value": 5},
        "The highest frequency score: at least 10 orders in 365 days, cancelled ones left out.",
    ),
    SegmentSpec(
        "big-spender-10k",
        "年消费过万",
        {"fact": "rfm.m", "op": "gte", "value": 5},
        "The highest money score: at least 10,000 yuan in 365 days, net of refunds.",
    ),
    SegmentSpec(
        "open-complaint",
        "投诉处理中",
        {"fact": "support.open_complaints", "op": "gte", "value": 1},
        "A complaint is not resolved yet; promotion waits.",
    ),
)
BUILT_IN_KEYS: Final = frozenset(spec.key for spec in BUILT_IN)
