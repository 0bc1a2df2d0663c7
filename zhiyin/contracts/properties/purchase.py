"""Orders, what is in them, and their refunds and cancellations."""

from typing import Annotated

from msgspec import Meta, Struct

from zhiyin.contracts.properties.shapes import Money, Name, check_money


class Item(Struct, frozen=True):
    """One line of an order. `pack_days`: how many days one pack lasts one person."""

    sku: Name
    name: str | None = None
    category: str | None = None
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    unit_price: Money | None = None
    pack_days: Annotated[int, Meta(ge=1, le=3650)] | None = None

    def __post_init__(self) -> None:
        if self.unit_price is not None:
            check_money("unit_price", self.unit_price)


class PurchaseCompleted(Struct, frozen=True, tag="purchase.completed"):
    order_id: Name
    total: Money
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CNY"
    channel: str | None = None
    store_id: str | None = None
    gift: bool = False
    coupon_codes: list[str] = []
    items: list[Item] = []

    def __post_init__(self) -> None:
        check_money("total", self.total)


class PurchaseRefunded(Struct, frozen=True, tag="purchase.refunded"):
    order_id: Name
    refund_id: Name
    amount: Money
    items: list[Item] = []

    def __post_init__(self) -> None:
        check_money("amount", self.amount)


class PurchaseCancelled(Struct, frozen=True, tag="purchase.cancelled"):
    order_id: Name
