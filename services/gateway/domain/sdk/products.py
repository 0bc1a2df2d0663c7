"""Products of the e-commerce spec as our items, baskets and things looked at."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

from services.gateway.domain.sdk.amounts import amount, stated, whole
from services.gateway.domain.sdk.messages import table, text

_SKU: Final = ("sku", "product_id", "productId", "id", "name")


def sku_of(product: Mapping[str, Any]) -> str | None:
    """What it is known by; its name where nothing better is said."""
    return next((found for name in _SKU if (found := text(product.get(name)))), None)


def product(properties: Mapping[str, Any]) -> dict[str, Any]:
    """A product's properties: `sku`, `unit_price` and `quantity` as the contract has them, all
    else as it came."""
    renamed = {"price": "unit_price"} if "unit_price" not in properties else {}
    kept = {renamed.get(name, name): value for name, value in properties.items()}
    kept["sku"] = sku_of(properties)
    kept["category"] = text(kept.get("category"))
    for name in ("unit_price", "list_price"):
        if kept.get(name) is not None:
            kept[name] = stated(kept[name])
    if kept.get("quantity") is not None:
        kept["quantity"] = whole(kept["quantity"])
    return {name: value for name, value in kept.items() if value is not None}


def products(properties: Mapping[str, Any]) -> Sequence[dict[str, Any]]:
    """`products`, or `items` as other tools call them. One that nothing is known by is none."""
    listed = properties.get("products", properties.get("items"))
    found = [product(table(each)) for each in listed] if isinstance(listed, list) else []
    return [each for each in found if "sku" in each]


def worth(items: Sequence[Mapping[str, Any]]) -> Decimal | None:
    """What items cost together; None if a price is missing."""
    prices = [amount(item.get("unit_price")) for item in items]
    counts = [amount(item.get("quantity", 1)) for item in items]
    if not items or None in prices or None in counts:
        return None
    return sum((p * n for p, n in zip(prices, counts, strict=True) if p and n), Decimal(0))
