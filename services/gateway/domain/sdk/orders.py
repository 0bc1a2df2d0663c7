"""Orders of the e-commerce spec: what was paid, refunded, called off."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from services.gateway.domain.sdk.amounts import amount, stated, written
from services.gateway.domain.sdk.messages import text
from services.gateway.domain.sdk.products import products, worth


class Meant(NamedTuple):
    """An event of ours: its type and properties."""

    type: str
    properties: dict[str, Any]


# Without shipping and tax, the nearest to what was paid first.
_BASES: Final = ("revenue", "subtotal", "value")
_ONLINE: Final = frozenset({"browser", "web", "client", "mobile"})


def completed(properties: Mapping[str, Any], message_id: str, channel: str | None) -> Meant:
    items = products(properties)
    kept = _order(properties, items)
    kept["total"] = _total(properties, items)
    kept["coupon_codes"] = _coupons(properties, items)
    if currency := text(properties.get("currency")):
        kept["currency"] = currency.upper()
    if kept["channel"] is None and channel in _ONLINE:
        kept["channel"] = "online"
    if kept.get("discount") is not None:
        kept["discount"] = stated(kept["discount"])
    return Meant("purchase.completed", _said(kept))


def refunded(properties: Mapping[str, Any], message_id: str, channel: str | None) -> Meant:
    """The spec knows a refund of the whole order that names no amount; that the order is called
    off is then all it can mean."""
    items = products(properties)
    kept = _order(properties, items)
    back = _total(properties, items)
    if back is None:
        return cancelled(properties, message_id, channel)
    kept["amount"] = back
    kept["refund_id"] = text(properties.get("refund_id")) or message_id
    return Meant("purchase.refunded", _said(kept))


def cancelled(properties: Mapping[str, Any], message_id: str, channel: str | None) -> Meant:
    return Meant("purchase.cancelled", _said(_order(properties, products(properties))))


def _order(properties: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    kept = {name: value for name, value in properties.items() if name not in ("products", "items")}
    for name in ("order_id", "store_id", "channel"):
        kept[name] = text(kept.get(name))
    kept["order_id"] = kept["order_id"] or text(properties.get("orderId"))
    kept["items"] = items or None
    return kept


def _total(properties: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> Any:
    """`total`, or what the parts say; None if nothing does."""
    if properties.get("total") is not None:
        return stated(properties["total"])
    base = next((found for name in _BASES if (found := amount(properties.get(name)))), None)
    if base is None:
        base = worth(items)
        if base is not None:
            base -= amount(properties.get("discount")) or Decimal(0)
    if base is None:
        return None
    extras = (amount(properties.get(name)) or Decimal(0) for name in ("shipping", "tax"))
    return written(max(sum(extras, base), Decimal(0)))


def _coupons(properties: Mapping[str, Any], items: Sequence[Mapping[str, Any]]) -> list[str]:
    """Of the order and of its products, each once."""
    listed = properties.get("coupon_codes")
    stated_codes = listed if isinstance(listed, list) else []
    codes = [*stated_codes, properties.get("coupon"), *(item.get("coupon") for item in items)]
    return list(dict.fromkeys(code for each in codes if (code := text(each))))


def _said(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}
