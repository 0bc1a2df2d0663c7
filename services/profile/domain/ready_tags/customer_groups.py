"""The four customer groups: traditional tonic, young wellness, gift, health management."""

from typing import Final

from services.profile.domain.ready_tags.categories import (
    FITNESS,
    FITNESS_GEAR,
    GIFT,
    HEALTH,
    TONIC,
    WELLNESS,
)
from services.profile.domain.ready_tags.ready import (
    Ready,
    at_least,
    bought,
    last_bought,
    searched,
    viewed,
)

_TONIC: Final = (
    Ready(
        "tonic-lover", "traditional-tonic", "传统滋补客", "Tonic lover",
        "一年内自用购买滋补品两次以上。",
        "Bought traditional tonics for themselves at least twice in a year.",
        bought(2, TONIC, "365d"),
    ),
    Ready(
        "tonic-regular", "traditional-tonic", "滋补常客", "Tonic regular",
        "在滋补客中，半年内购买四次以上。",
        "A tonic lover who bought at least four times in half a year.",
        {"all": [{"tag": "tonic-lover"}, bought(4, TONIC, "180d")]},
    ),
    Ready(
        "tonic-curious", "traditional-tonic", "滋补观望", "Tonic curious",
        "一个月内三次浏览滋补品但从未购买。",
        "Looked at tonics three times in a month and has never bought any.",
        {"all": [viewed(3, TONIC, "30d"), {"not": bought(1, TONIC)}]},
    ),
    Ready(
        "tonic-big-spender", "traditional-tonic", "高端滋补客", "Big spender on tonics",
        "一年内含滋补品的自用订单合计满 3000 元。",
        "Own orders with tonics add up to 3,000 or more in a year.",
        {
            "sum": {
                "event": "purchase.completed",
                "where": {"category": list(TONIC), "gift": {"ne": True}},
                "property": "total",
                "within": "365d",
            },
            "op": "gte",
            "value": "3000",
        },
    ),
)  # fmt: skip
_WELLNESS: Final = (
    Ready(
        "fitness-fan", "young-wellness", "健身爱好者", "Fitness fan",
        "连续三次浏览健身类商品，保持 30 天。",
        "Looked at fitness goods three times in a row; kept for 30 days.",
        {"streak": {"event": "browse.viewed", "where": {"category": list(FITNESS)}},
         "op": "gte", "value": 3},
        "30d",
    ),
    Ready(
        "fitness-deep", "young-wellness", "深度健身者", "Deep into fitness",
        "健身爱好者在 90 天内购买瑜伽垫等装备后升级。",
        "A fitness fan who bought gear, such as a yoga mat, within 90 days.",
        {"all": [{"tag": "fitness-fan"}, bought(1, FITNESS_GEAR, "90d")]},
    ),
    Ready(
        "young-wellness", "young-wellness", "轻养生人群", "Young wellness",
        "半年内购买即食滋补、养生茶、代餐、益生菌等两次以上。",
        "Bought ready-to-eat tonics, wellness teas, meal replacements or probiotics twice in half "
        "a year.",
        bought(2, WELLNESS, "180d"),
    ),
    Ready(
        "wellness-seeker", "young-wellness", "养生搜索者", "Wellness seeker",
        "搜索过养生、减脂、代餐、益生菌、熬夜等词，保持 30 天。",
        "Searched for wellness, fat loss, meal replacement, probiotics or staying up late; kept "
        "for 30 days.",
        searched(("养生", "减脂", "代餐", "益生菌", "熬夜"), "7d"),
        "30d",
    ),
)  # fmt: skip
_GIFT: Final = (
    Ready(
        "gift-buyer", "gift", "送礼客", "Gift buyer",
        "一年内有送礼订单。",
        "Bought something as a gift within a year.",
        at_least(1, "purchase.completed", "365d", gift=True),
    ),
    Ready(
        "gift-regular", "gift", "常年送礼", "Regular gift buyer",
        "送礼客一年内送礼三次以上。",
        "A gift buyer with at least three gifts in a year.",
        {
            "all": [
                {"tag": "gift-buyer"},
                at_least(3, "purchase.completed", "365d", gift=True),
            ]
        },
    ),
    Ready(
        "gift-premium", "gift", "高端礼赠", "Premium gift buyer",
        "一年内有单笔满 800 元的送礼订单。",
        "One gift order of 800 or more within a year.",
        at_least(1, "purchase.completed", "365d", gift=True, total={"gte": 800}),
    ),
    Ready(
        "gift-shopping", "gift", "正在选礼", "Choosing a gift",
        "一周内三次浏览礼盒，保持 14 天。",
        "Looked at gift boxes three times in a week; kept for 14 days.",
        viewed(3, GIFT, "7d"),
        "14d",
    ),
)  # fmt: skip
_HEALTH: Final = (
    Ready(
        "health-manager", "health-management", "健康管理人群", "Health manager",
        "半年内自用购买营养保健品三次以上。",
        "Bought supplements for themselves at least three times in half a year.",
        bought(3, HEALTH, "180d"),
    ),
    Ready(
        "health-persistent", "health-management", "长期服用", "Persistent taker",
        "健康管理人群，半年前已开始购买，60 天内仍在购买。",
        "A health manager who began over half a year ago and bought again within 60 days.",
        {
            "all": [
                {"tag": "health-manager"},
                last_bought(HEALTH, newer_than="60d"),
                {"first": {"event": "purchase.completed", "where": {"category": list(HEALTH)}},
                 "older_than": "180d"},
            ]
        },
    ),
    Ready(
        "health-reader", "health-management", "健康内容读者", "Reads on health",
        "一个月内三次阅读健康类内容，保持 60 天。",
        "Read content on health three times in a month; kept for 60 days.",
        at_least(3, "browse.viewed", "30d", kind="content", category=["健康", *HEALTH]),
        "60d",
    ),
    Ready(
        "health-goal", "health-management", "有健康目标", "Has a health goal",
        "本人同意使用健康信息，并填写了健康目标。",
        "Agreed to the use of health facts and named a goal.",
        {
            "all": [
                {"fact": "consents.health", "op": "eq", "value": True},
                {"fact": "attributes.health.goal", "op": "exists"},
            ]
        },
    ),
)  # fmt: skip
CUSTOMER_GROUPS: Final = (*_TONIC, *_WELLNESS, *_GIFT, *_HEALTH)
