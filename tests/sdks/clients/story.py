"""What a shop's server says, through whichever library."""

import sys
from typing import Any


def say(analytics: Any, key: str, user: str) -> None:
    analytics.write_key = key
    analytics.gzip = True
    analytics.on_error = lambda error, batch: print(f"lost {len(batch)}: {error}", file=sys.stderr)
    analytics.identify(user, {"email": f"{user}@example.com", "city": "杭州"})
    product = {"product_id": "EJ-250", "category": "阿胶糕", "price": 129.5, "quantity": 2}
    order = {"order_id": f"O-{user}", "total": 259.0, "currency": "CNY", "products": [product]}
    analytics.track(user, "Order Completed", order)
    analytics.track(user, "Product Added", {"sku": "EJ-250", "quantity": 1})
    analytics.track(user, "领取 会员卡", {"level": "金"})
    analytics.page(user, "内容", "首页", {"path": "/"})
    analytics.screen(user, "App", "首页")
    analytics.group(user, "club-1", {"name": "健身俱乐部"})
    analytics.alias(f"a-{user}", user)
    analytics.shutdown()
