"""Orders, what is in them, and their refunds and cancellations."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.properties.shapes import Money, Name, check_money


class Item(Struct, frozen=True):
    """One line of an order. `pack_days`: how many days one pack lasts one person; `list_price`:
    of one before any reduction."""

    sku: Name
    name: str | None = None
    category: str | None = None
    quantity: Annotated[int, Meta(ge=1, le=1_000_000)] = 1
    unit_price: Money | None = None
    pack_days: Annotated[int, Meta(ge=1, le=3650)] | None = None
    list_price: Money | None = None

    def __post_init__(self) -> None:
        if self.unit_price is not None:
            check_money("unit_price", self.unit_price)
        if self.list_price is not None:
            check_money("list_price", self.list_price)


class Delivery(Struct, frozen=True):
    """Where an order goes. `to`: the buyer, or somebody else (then it is a gift)."""

    to: Literal["self", "other"] = "self"
    relation: str | None = None
    wish: str | None = None


class PurchaseCompleted(Struct, frozen=True, tag="purchase.completed"):
    """`discount`: what coupons and promotions took off the order; `total` is what was paid.
    A gift is an order with `gift`, with a `gift_message`, or delivered to somebody else."""

    order_id: Name
    total: Money
    currency: Annotated[str, Meta(pattern="^[A-Z]{3}$")] = "CNY"
    channel: str | None = None
    store_id: str | None = None
    gift: bool = False
    coupon_codes: list[str] = []
    items: list[Item] = []
    discount: Money | None = None
    gift_message: str | None = None
    delivery: Delivery | None = None

    def __post_init__(self) -> None:
        check_money("total", self.total)
        if self.discount is not None:
            check_money("discount", self.discount)


class PurchaseRefunded(Struct, frozen=True, tag="purchase.refunded"):
    order_id: Name
    refund_id: Name
    amount: Money
    items: list[Item] = []

    def __post_init__(self) -> None:
        check_money("amount", self.amount)


class PurchaseCancelled(Struct, frozen=True, tag="purchase.cancelled"):
    order_id: Name
