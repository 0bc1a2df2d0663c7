"""What people live for and care about: snacks, baby, green consumption, social influence, price,
and needs that change."""

from itertools import permutations
from typing import Final

from services.profile.domain.ready_tags.categories import (
    BABY,
    GREEN,
    HEALTH,
    PREGNANCY,
    SNACKS,
    TONIC,
    WELLNESS,
)
from services.profile.domain.ready_tags.ready import (
    Ready,
    Rule,
    at_least,
    bought,
    first_bought,
    last_bought,
    said,
    searched,
)


def _joined(old: tuple[str, ...], new: tuple[str, ...]) -> Rule:
    """One need for long, another since lately, and both alive."""
    return {
        "all": [
            first_bought(old, older_than="90d"),
            first_bought(new, newer_than="90d"),
            last_bought(old, newer_than="180d"),
        ]
    }


_FAMILY: Final = (
    Ready(
        "snack-lover", "snacks", "零食常客", "Snack lover",
        "90 天内自用购买零食三次以上。",
        "Bought snacks for themselves at least three times in 90 days.",
        bought(3, SNACKS, "90d"),
    ),
    Ready(
        "nut-lover", "snacks", "坚果控", "Nut lover",
        "半年内自用购买坚果三次以上。",
        "Bought nuts at least three times in half a year.",
        bought(3, ("坚果",), "180d"),
    ),
    Ready(
        "snack-stocker", "snacks", "零食囤货", "Stocks up on snacks",
        "90 天内有一单某件商品买五件以上的零食订单。",
        "An order with snacks and five or more of something within 90 days.",
        bought(1, SNACKS, "90d", quantity={"gte": 5}),
    ),
    Ready(
        "baby-family", "baby", "母婴家庭", "Family with a baby",
        "一年内自用购买母婴商品两次以上。",
        "Bought baby goods at least twice in a year.",
        bought(2, BABY, "365d"),
    ),
    Ready(
        "expecting", "baby", "备孕与孕期", "Expecting",
        "购买孕期营养品或搜索孕期用品，保持 280 天。",
        "Bought food for expecting mothers or searched for it; kept for 280 days.",
        {"any": [bought(1, PREGNANCY, "30d"), searched(("孕妇", "备孕", "叶酸"), "30d")]},
        "280d",
    ),
    Ready(
        "baby-weaning", "baby", "辅食阶段", "Weaning",
        "母婴家庭在 90 天内开始购买婴儿辅食。",
        "A family with a baby that began to buy baby food within 90 days.",
        {"all": [{"tag": "baby-family"}, first_bought(("婴儿辅食",), newer_than="90d")]},
    ),
)  # fmt: skip
_VALUES: Final = (
    Ready(
        "green-consumer", "green-consumption", "绿色消费", "Green consumer",
        "一年内购买有机、环保、可降解商品两次以上。",
        "Bought organic, eco-friendly or degradable goods at least twice in a year.",
        at_least(2, "purchase.completed", "365d", category=list(GREEN)),
    ),
    Ready(
        "green-advocate", "green-consumption", "绿色倡导者", "Green advocate",
        "绿色消费者，半年内在社区分享过。",
        "A green consumer who shared something in the community within half a year.",
        {"all": [{"tag": "green-consumer"}, at_least(1, "community.shared", "180d")]},
    ),
    Ready(
        "sharer", "social-influence", "爱分享", "Sharer",
        "90 天内分享三次以上。",
        "Shared at least three times in 90 days.",
        at_least(3, "community.shared", "90d"),
    ),
    Ready(
        "opinion-leader", "social-influence", "意见领袖", "Opinion leader",
        "爱分享，且半年内写了五条以上评价。",
        "A sharer who wrote at least five reviews in half a year.",
        {"all": [{"tag": "sharer"}, at_least(5, "community.reviewed", "180d")]},
    ),
    Ready(
        "community-asker", "social-influence", "爱提问", "Asks the community",
        "30 天内在社区提问两次以上。",
        "Asked the community at least twice in 30 days.",
        at_least(2, "community.asked", "30d"),
    ),
    Ready(
        "price-sensitive", "price-sensitive", "价格敏感", "Price-sensitive",
        "半年内三单以上用券，或 90 天内两次谈到价格。",
        "Used coupons on three orders in half a year, or spoke of the price twice in 90 days.",
        {
            "any": [
                at_least(3, "purchase.completed", "180d", coupon_codes={"exists": True}),
                said(2, "90d", topics="price"),
            ]
        },
    ),
    Ready(
        "coupon-only", "price-sensitive", "无券不买", "Buys with coupons only",
        "最近连续三单都用了券。",
        "Their last three orders all had a coupon.",
        {
            "streak": {
                "event": "purchase.completed",
                "where": {"coupon_codes": {"exists": True}},
            },
            "op": "gte",
            "value": 3,
        },
    ),
)  # fmt: skip
_CHANGES: Final = (
    Ready(
        "need-doubled", "need-change", "单一需求变双重需求", "From one need to two",
        "长期只买一类需求（滋补、轻养生、健康管理、母婴），近 90 天首次买入另一类，且原需求仍在。",
        "For long bought for one need (tonic, wellness, health, baby); within 90 days first bought "
        "for another, and the old one is still alive.",
        {"any": [_joined(*pair) for pair in permutations((TONIC, WELLNESS, HEALTH, BABY), 2)]},
    ),
    Ready(
        "need-moved", "need-change", "需求转移到健康管理", "Need moved to health management",
        "曾买滋补品，已 90 天未买，近 90 天改买营养保健品。",
        "Used to buy tonics, not for 90 days, and has bought supplements within 90 days.",
        {"all": [last_bought(TONIC, older_than="90d"), last_bought(HEALTH, newer_than="90d")]},
    ),
)  # fmt: skip
NEEDS: Final = (*_FAMILY, *_VALUES, *_CHANGES)
