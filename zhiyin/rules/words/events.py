"""What events and their properties are called."""

from typing import Final

from zhiyin.rules.words.language import Words, same

TYPES: Final[dict[str, Words]] = {
    "purchase.completed": Words("完成的购买", "completed purchase"),
    "purchase.refunded": Words("退款", "refund"),
    "purchase.cancelled": Words("取消的订单", "cancelled order"),
    "browse.viewed": Words("浏览", "page view"),
    "browse.searched": Words("搜索", "search"),
    "browse.carted": Words("加入购物车", "addition to the cart"),
    "browse.uncarted": Words("移出购物车", "removal from the cart"),
    "browse.favorited": Words("收藏", "saved item"),
    "browse.visited_store": Words("到店", "store visit"),
    "support.opened": Words("客服工单", "support ticket"),
    "support.messaged": Words("客服消息", "support message"),
    "support.resolved": Words("解决的工单", "resolved ticket"),
    "support.rated": Words("服务评价", "support rating"),
    "community.shared": Words("社群分享", "share in the community"),
    "community.reviewed": Words("商品评价", "review"),
    "community.checked_in": Words("打卡", "check-in"),
    "community.asked": Words("社群提问", "question in the community"),
    "customer.updated": Words("资料更新", "profile update"),
    "customer.linked": Words("账号关联", "linking of accounts"),
    "customer.unlinked": Words("账号解绑", "unlinking of accounts"),
    "customer.tagged": Words("手工打标", "tag set by hand"),
    "customer.untagged": Words("手工去标", "tag removed by hand"),
    "engagement.delivered": Words("送达的消息", "delivered message"),
    "engagement.opened": Words("打开的消息", "opened message"),
    "engagement.clicked": Words("点击的消息", "clicked message"),
    "engagement.bounced": Words("退回的消息", "bounced message"),
    "engagement.unsubscribed": Words("退订", "unsubscription"),
}
PROPERTIES: Final[dict[str, Words]] = {
    "order_id": Words("订单号", "order id"),
    "refund_id": Words("退款号", "refund id"),
    "total": Words("金额", "total"),
    "amount": Words("退款金额", "amount"),
    "currency": Words("币种", "currency"),
    "channel": Words("渠道", "channel"),
    "store_id": Words("门店", "store"),
    "gift": Words("是否送礼", "gift"),
    "coupon_codes": Words("优惠券", "coupon codes"),
    "items": Words("商品行", "items"),
    "sku": Words("商品编号", "SKU"),
    "name": Words("名称", "name"),
    "category": Words("类目", "category"),
    "quantity": Words("数量", "quantity"),
    "unit_price": Words("单价", "unit price"),
    "pack_days": Words("每件可用天数", "days a pack lasts"),
    "kind": Words("类型", "kind"),
    "title": Words("标题", "title"),
    "dwell_seconds": Words("停留秒数", "seconds stayed"),
    "query": Words("搜索词", "query"),
    "ticket_id": Words("工单号", "ticket id"),
    "subject": Words("主题", "subject"),
    "author": Words("发言人", "author"),
    "text": Words("内容", "text"),
    "score": Words("评分", "score"),
    "action_id": Words("动作编号", "action id"),
}


def event_words(event_type: str) -> Words:
    return TYPES.get(event_type) or same(f"“{event_type.removeprefix('custom.')}”")


def property_words(name: str) -> Words:
    return PROPERTIES.get(name) or same(f"“{name}”")
