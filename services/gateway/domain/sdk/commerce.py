"""The e-commerce spec in the words of our contract.

What it has no word for there (a step of the checkout, a promotion seen, a coupon typed in) is no
loss: it becomes `custom.<name>`, which rules read like any other event.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from services.gateway.domain.sdk.messages import text
from services.gateway.domain.sdk.orders import Meant, cancelled, completed, refunded
from services.gateway.domain.sdk.products import product, products, sku_of

Means = Callable[[Mapping[str, Any], str, str | None], Meant]


def _viewed(kind: str) -> Means:
    def meant(properties: Mapping[str, Any], message_id: str, channel: str | None) -> Meant:
        kept = product(properties) if kind == "product" else _list(properties)
        title = text(properties.get("title")) or text(properties.get("name"))
        return Meant("browse.viewed", {**kept, "kind": kind, **({"title": title} if title else {})})

    return meant


def _list(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A list of products: what it lists is told by their sku, as many as there may be."""
    kept = {name: value for name, value in properties.items() if name not in ("products", "sku")}
    kept["category"] = text(properties.get("category")) or text(properties.get("list_id"))
    kept["skus"] = [each["sku"] for each in products(properties)] or None
    return {name: value for name, value in kept.items() if value is not None}


def _basket(event_type: str) -> Means:
    def meant(properties: Mapping[str, Any], message_id: str, channel: str | None) -> Meant:
        return Meant(event_type, product(properties))

    return meant


def _searched(properties: Mapping[str, Any], message_id: str, channel: str | None) -> Meant:
    return Meant("browse.searched", dict(properties))


def _said(event_type: str, words: str) -> Means:
    """What somebody says of a product; `words`: the property with their words."""

    def meant(properties: Mapping[str, Any], message_id: str, channel: str | None) -> Meant:
        kept = {name: value for name, value in properties.items() if name not in (words, "rating")}
        kept["text"] = text(properties.get("text")) or text(properties.get(words))
        kept["sku"] = sku_of(properties)
        kept["score"] = properties.get("score", properties.get("rating"))
        return Meant(event_type, {name: value for name, value in kept.items() if value is not None})

    return meant


_carted, _uncarted = _basket("browse.carted"), _basket("browse.uncarted")
_favorited = _basket("browse.favorited")
_product, _category = _viewed("product"), _viewed("category")
_reviewed = _said("community.reviewed", "review_body")
_shared = _said("community.shared", "share_message")
# By their slugs. The later names are those of the spec's first version, still found in shops.
COMMERCE: Final[Mapping[str, Means]] = {
    "products_searched": _searched,
    "product_list_viewed": _category,
    "product_list_filtered": _category,
    "product_viewed": _product,
    "product_added": _carted,
    "wishlist_product_added_to_cart": _carted,
    "product_removed": _uncarted,
    "product_added_to_wishlist": _favorited,
    "product_shared": _shared,
    "cart_shared": _shared,
    "product_reviewed": _reviewed,
    "order_completed": completed,
    "order_refunded": refunded,
    "order_cancelled": cancelled,
    "searched_products": _searched,
    "viewed_product_category": _category,
    "viewed_product": _product,
    "added_product": _carted,
    "removed_product": _uncarted,
    "completed_order": completed,
    "refunded_order": refunded,
    "cancelled_order": cancelled,
}
