"""What people are about to do, through which channel they come, and what puts them at risk."""

from typing import Final

from services.segmentation.domain.ready_segments.entry import Ready
from zhiyin.rules.words.language import Words

INTENT: Final = (
    Ready(
        "cart-abandoners",
        "intent",
        Words("加购未买", "Cart abandoners"),
        Words(
            "1 小时至 3 天前加购，3 天内没有购买。",
            "Put something in the cart 1 hour to 3 days ago and has not bought for 3 days.",
        ),
        "last(browse.carted) older than 1h newer than 3d and not last(purchase.completed) newer "
        "than 3d",
    ),
    Ready(
        "browsers-without-order",
        "intent",
        Words("常看未买", "Browsers without an order"),
        Words(
            "30 天内浏览至少五次，从未下单。",
            "Looked at five pages or more within 30 days, never ordered.",
        ),
        "count(browse.viewed within 30d) >= 5 and orders.count = 0",
    ),
    Ready(
        "store-visitors-without-purchase",
        "intent",
        Words("到店未买", "Store visitors without a purchase"),
        Words(
            "7 天内到过店，7 天内没有购买。",
            "Visited a store within 7 days and has not bought for 7 days.",
        ),
        "last(browse.visited_store) newer than 7d and not last(purchase.completed) newer than 7d",
    ),
    Ready(
        "wishlist-owners",
        "intent",
        Words("有收藏未买", "Saved, not bought"),
        Words(
            "30 天内有收藏，收藏期间没有购买。",
            "Saved an item within 30 days and has not bought for 30 days.",
        ),
        "count(browse.favorited within 30d) >= 1 and count(purchase.completed within 30d) = 0",
    ),
    Ready(
        "coupon-lovers",
        "intent",
        Words("优惠敏感", "Coupon lovers"),
        Words(
            "365 天内至少三单使用优惠券。", "Three orders or more with a coupon within 365 days."
        ),
        "count(purchase.completed where coupon_codes exists within 365d) >= 3",
    ),
    Ready(
        "advocates",
        "intent",
        Words("种草达人", "Advocates"),
        Words(
            "180 天内分享至少两次，或给过四星以上评价。",
            "Shared twice within 180 days, or reviewed with four stars or more.",
        ),
        "count(community.shared within 180d) >= 2 or count(community.reviewed where score >= 4 "
        "within 180d) >= 1",
    ),
    Ready(
        "message-responders",
        "intent",
        Words("触达有回应", "Responds to messages"),
        Words("60 天内打开或点击过消息。", "Opened or clicked a message within 60 days."),
        "last(engagement.opened) newer than 60d or last(engagement.clicked) newer than 60d",
    ),
)
CHANNEL: Final = (
    Ready(
        "online-only",
        "channel",
        Words("纯线上客户", "Online only"),
        Words("365 天内只在线上购买。", "Bought online only within 365 days."),
        "count(purchase.completed where channel = online within 365d) >= 1 and "
        "count(purchase.completed where channel = store within 365d) = 0",
    ),
    Ready(
        "store-only",
        "channel",
        Words("纯门店客户", "Store only"),
        Words("365 天内只在门店购买。", "Bought in stores only within 365 days."),
        "count(purchase.completed where channel = store within 365d) >= 1 and "
        "count(purchase.completed where channel = online within 365d) = 0",
    ),
    Ready(
        "omnichannel",
        "channel",
        Words("全渠道客户", "Omnichannel"),
        Words("365 天内线上、门店都购买过。", "Bought both online and in a store within 365 days."),
        "count(purchase.completed where channel = online within 365d) >= 1 and "
        "count(purchase.completed where channel = store within 365d) >= 1",
    ),
    Ready(
        "sms-reachable",
        "channel",
        Words("短信可触达", "Reachable by SMS"),
        Words("有手机号并同意短信营销。", "Has a phone number and agreed to marketing by SMS."),
        "identifiers.phone exists and consents.marketing.sms = true",
    ),
    Ready(
        "email-reachable",
        "channel",
        Words("邮件可触达", "Reachable by email"),
        Words("有邮箱并同意邮件营销。", "Has an email address and agreed to marketing by email."),
        "identifiers.email exists and consents.marketing.email = true",
    ),
    Ready(
        "wechat-connected",
        "channel",
        Words("已连接微信", "Connected on WeChat"),
        Words("有微信 unionid 或 openid。", "Known by a WeChat unionid or openid."),
        "identifiers.unionid exists or identifiers.openid exists",
    ),
)
RISK: Final = (
    Ready(
        "open-complaint",
        "risk",
        Words("投诉处理中", "Open complaint"),
        Words("有未解决的投诉，暂停促销。", "A complaint is not resolved yet; promotion waits."),
        "support.open_complaints >= 1",
    ),
    Ready(
        "repeat-complainers",
        "risk",
        Words("多次投诉", "Repeat complainers"),
        Words("180 天内至少两次投诉。", "Two complaints or more within 180 days."),
        "count(support.opened where kind = complaint within 180d) >= 2",
    ),
    Ready(
        "unhappy-with-service",
        "risk",
        Words("服务不满意", "Unhappy with service"),
        Words("服务评分均值低于 3 分。", "Average support rating below 3."),
        "support.rating < 3",
    ),
    Ready(
        "frequent-returners",
        "risk",
        Words("频繁退款", "Frequent returners"),
        Words("180 天内至少两次退款。", "Two refunds or more within 180 days."),
        "count(purchase.refunded within 180d) >= 2",
    ),
    Ready(
        "recent-unsubscribers",
        "risk",
        Words("近期退订", "Recent unsubscribers"),
        Words("90 天内退订过。", "Unsubscribed within 90 days."),
        "last(engagement.unsubscribed) newer than 90d",
    ),
    Ready(
        "fading-loyals",
        "risk",
        Words("忠诚客户转冷", "Fading loyals"),
        Words(
            "累计至少六单，最近一单在 45 至 90 天前，且没有未结投诉。",
            "Six orders or more, the last 45 to 90 days ago, no complaint open.",
        ),
        "orders.count >= 6 and orders.last_at older than 45d and orders.last_at newer than 90d "
        "and not segment open-complaint",
    ),
)
