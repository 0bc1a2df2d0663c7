"""RFM classes, stages of life and tiers of value: what orders alone say."""

from typing import Final

from services.segmentation.domain.ready_segments.entry import Ready
from zhiyin.rules.words.language import Words

RFM: Final = (
    Ready(
        "high-value-loyal",
        "rfm",
        Words("高价值忠诚", "High value, loyal"),
        Words(
            "近期购买、频次高、金额高（R≥4，F≥4，M≥4）。",
            "Bought lately, often and much (R≥4, F≥4, M≥4).",
        ),
        "rfm.class = high_value_loyal",
    ),
    Ready(
        "potential-growth",
        "rfm",
        Words("潜力成长", "Potential growth"),
        Words(
            "近期购买、金额可观、频次尚低（R≥4，F≤3，M≥3）。",
            "Bought lately and well, not yet often (R≥4, F≤3, M≥3).",
        ),
        "rfm.class = potential_growth",
    ),
    Ready(
        "churn-warning",
        "rfm",
        Words("流失预警", "Churn warning"),
        Words(
            "最近一单在 61 至 180 天前（R 为 2 或 3）。",
            "Last order 61 to 180 days ago (R 2 or 3).",
        ),
        "rfm.class = churn_warning",
    ),
    Ready(
        "dormant",
        "rfm",
        Words("沉睡", "Dormant"),
        Words("最近一单在 180 天以前（R=1）。", "Last order over 180 days ago (R=1)."),
        "rfm.class = dormant",
    ),
    Ready(
        "new-or-small",
        "rfm",
        Words("新客或小额", "New or small"),
        Words(
            "近期购买，但累计尚少（R≥4 的其余客户）。",
            "Bought lately, little so far (R≥4, otherwise).",
        ),
        "rfm.class = new_or_small",
    ),
    Ready(
        "champions",
        "rfm",
        Words("三项满分", "Champions"),
        Words("R、F、M 均为 5 分。", "The highest score in recency, frequency and money."),
        "rfm.r = 5 and rfm.f = 5 and rfm.m = 5",
    ),
    Ready(
        "promising-frequency",
        "rfm",
        Words("高频小额", "Frequent, small baskets"),
        Words(
            "购买频次高而年消费偏低，适合提升客单价。",
            "Buys often but little a year: worth a larger basket.",
        ),
        "rfm.r >= 4 and rfm.f >= 3 and rfm.m <= 3",
    ),
    Ready(
        "slipping-big-spenders",
        "rfm",
        Words("高额客户转冷", "Big spenders slipping"),
        Words(
            "年消费高，但 60 天以上未购。",
            "High spend this year, but no order for more than 60 days.",
        ),
        "rfm.m >= 4 and rfm.r <= 3",
    ),
)
LIFECYCLE: Final = (
    Ready(
        "leads",
        "lifecycle",
        Words("潜客", "Leads"),
        Words("尚无有效订单。", "No order yet."),
        "lifecycle.stage = lead",
    ),
    Ready(
        "new-customers",
        "lifecycle",
        Words("新客", "New customers"),
        Words("仅一单，且在 30 天内。", "One order, at most 30 days ago."),
        "lifecycle.stage = new",
    ),
    Ready(
        "first-order-7d",
        "lifecycle",
        Words("首单 7 天", "First order + 7 days"),
        Words(
            "首单回访期：首单满 7 天进入，满 30 天离开。",
            "The follow-up window: entered 7 days after the first order, left 30 days after it.",
        ),
        "orders.first_at older than 7d and orders.first_at newer than 30d",
    ),
    Ready(
        "one-time-buyers",
        "lifecycle",
        Words("一次购客户", "One-time buyers"),
        Words("仅一单，在 30 至 90 天前。", "One order, 30 to 90 days ago."),
        "lifecycle.stage = one_time",
    ),
    Ready(
        "active-customers",
        "lifecycle",
        Words("活跃客户", "Active customers"),
        Words(
            "两至三单，最近一单在 90 天内。", "Two or three orders, the last at most 90 days ago."
        ),
        "lifecycle.stage = active",
    ),
    Ready(
        "repeat-customers",
        "lifecycle",
        Words("复购客户", "Repeat customers"),
        Words(
            "四单及以上，最近一单在 90 天内。", "Four orders or more, the last at most 90 days ago."
        ),
        "lifecycle.stage = repeat",
    ),
    Ready(
        "loyal-customers",
        "lifecycle",
        Words("忠诚客户", "Loyal customers"),
        Words(
            "一年内至少十单，最近一单在 90 天内。",
            "Ten orders or more within a year, the last at most 90 days ago.",
        ),
        "lifecycle.stage = loyal",
    ),
    Ready(
        "at-risk-customers",
        "lifecycle",
        Words("即将沉睡", "About to fall asleep"),
        Words(
            "买过至少两单，最近一单在 60 至 90 天前。",
            "Two orders or more, the last 60 to 90 days ago.",
        ),
        "orders.count >= 2 and orders.last_at older than 60d and orders.last_at newer than 90d",
    ),
    Ready(
        "dormant-90d",
        "lifecycle",
        Words("90 天未购", "Dormant 90 days"),
        Words(
            "买过，但已超过 90 天没有有效订单。",
            "Has ordered, but not for more than 90 days (cancelled orders left out).",
        ),
        "orders.last_at older than 90d",
    ),
    Ready(
        "lost-customers",
        "lifecycle",
        Words("流失客户", "Lost customers"),
        Words("最近一单在 365 天以前。", "Last order more than 365 days ago."),
        "lifecycle.stage = lost",
    ),
    Ready(
        "loyal-10-a-year",
        "lifecycle",
        Words("年购 10 次", "Ten orders a year"),
        Words(
            "365 天内至少 10 个有效订单。",
            "The highest frequency score: at least 10 orders in 365 days, cancelled ones left out.",
        ),
        "rfm.f >= 5",
    ),
)
VALUE: Final = (
    Ready(
        "value-vip",
        "value",
        Words("VIP 客户", "VIP customers"),
        Words(
            "价值层级 VIP：M≥4，180 天内购买过。",
            "Value tier VIP: M≥4, an order within 180 days.",
        ),
        "rfm.tier = vip",
    ),
    Ready(
        "value-potential",
        "value",
        Words("潜力客户", "Potential customers"),
        Words(
            "价值层级潜力：M=3，180 天内购买过。",
            "Value tier potential: M=3, an order within 180 days.",
        ),
        "rfm.tier = potential",
    ),
    Ready(
        "value-ordinary",
        "value",
        Words("普通客户", "Ordinary customers"),
        Words(
            "价值层级普通：180 天内购买过的其余客户。",
            "Value tier ordinary: everybody else with an order within 180 days.",
        ),
        "rfm.tier = ordinary",
    ),
    Ready(
        "value-lost",
        "value",
        Words("流失价值客户", "Lost customers of value"),
        Words(
            "价值层级流失：最近一单在 180 天以前。",
            "Value tier lost: the last order was more than 180 days ago.",
        ),
        "rfm.tier = lost",
    ),
    Ready(
        "big-spender-10k",
        "value",
        Words("年消费过万", "Big spenders"),
        Words(
            "365 天内净消费至少 10,000 元。",
            "The highest money score: at least 10,000 yuan in 365 days, net of refunds.",
        ),
        "rfm.m >= 5",
    ),
    Ready(
        "large-baskets",
        "value",
        Words("高客单价", "Large baskets"),
        Words(
            "至少两单，平均每单净消费至少 500 元。",
            "Two orders or more of 500 or more each on average.",
        ),
        "orders.count >= 2 and orders.average >= 500",
    ),
)
