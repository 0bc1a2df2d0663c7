"""What a person's orders add up to: totals, categories, SKUs. Only what is touched is decoded."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from services.profile.domain.packed import NO_ORDERS
from zhiyin.contracts.instants import HOUR, Instant
from zhiyin.contracts.money import Minor
from zhiyin.contracts.profiles import CategoryTotals, Order, OrderTotals, SkuTotals

_order: Final = msgspec.msgpack.Decoder(Order)
_category: Final = msgspec.msgpack.Decoder(CategoryTotals)
_sku: Final = msgspec.msgpack.Decoder(SkuTotals)
_encode: Final = msgspec.msgpack.Encoder().encode  # of structs without maps: nothing to sort
_INTERVALS: Final = 5


class Line(Struct, frozen=True, gc=False):
    """What is left of an order line after refunds: `quantity` and `total` may be 0."""

    sku: str
    category: str | None
    quantity: int
    total: Minor
    pack_days: int | None


class Books:
    """Mutable within one fold; `packed` maps are what it gives back."""

    __slots__ = ("categories", "open_categories", "open_skus", "orders", "orders_kept", "skus")

    def __init__(
        self,
        orders: OrderTotals = NO_ORDERS,
        orders_kept: Mapping[str, Raw] | None = None,
        categories: Mapping[str, Raw] | None = None,
        skus: Mapping[str, Raw] | None = None,
    ) -> None:
        self.orders = orders
        self.orders_kept: dict[str, Raw] = dict(orders_kept or {})
        self.categories: dict[str, Raw] = dict(categories or {})
        self.skus: dict[str, Raw] = dict(skus or {})
        self.open_categories: dict[str, CategoryTotals] = {}
        self.open_skus: dict[str, SkuTotals] = {}

    def order(self, order_id: str) -> Order | None:
        packed = self.orders_kept.get(order_id)
        return None if packed is None else _order.decode(packed)

    def sku(self, sku: str) -> SkuTotals | None:
        if (known := self.open_skus.get(sku)) is not None:
            return known
        packed = self.skus.get(sku)
        return None if packed is None else _sku.decode(packed)

    def category(self, category: str) -> CategoryTotals:
        if (known := self.open_categories.get(category)) is not None:
            return known
        packed = self.categories.get(category)
        return CategoryTotals() if packed is None else _category.decode(packed)

    def note(self, order_id: str, order: Order) -> None:
        """Keep an order, or what little is known of it."""
        self.orders_kept[order_id] = Raw(_encode(order))

    def add(self, order: Order, lines: Sequence[Line]) -> None:
        """Count an order that stands. SKUs need orders to come oldest first."""
        self.orders = _with_order(self.orders, order)
        categories: dict[str, Line] = {}
        skus: dict[str, Line] = {}
        for line in lines:
            if line.category is not None:
                known = categories.get(line.category)
                categories[line.category] = line if known is None else _together(known, line)
            if line.quantity and not order.gift:
                known = skus.get(line.sku)
                skus[line.sku] = line if known is None else _together(known, line)
        for category, line in categories.items():
            self.open_categories[category] = _sold(self.category(category), line, order.at)
        for sku, line in skus.items():
            self.open_skus[sku] = _bought(self.sku(sku), line, order.at)

    def close(self) -> "Books":
        """Pack what was touched."""
        for category, totals in self.open_categories.items():
            self.categories[category] = Raw(_encode(totals))
        for sku, bought in self.open_skus.items():
            self.skus[sku] = Raw(_encode(bought))
        self.open_categories.clear()
        self.open_skus.clear()
        return self


def _with_order(totals: OrderTotals, order: Order) -> OrderTotals:
    first = order.at if totals.first_at is None else min(totals.first_at, order.at)
    return OrderTotals(
        totals.count + 1,
        totals.total + order.net,
        totals.refunded + min(order.refunded, order.total),
        first,
        _later(totals.last_at, order.at),
    )


def _later(known: Instant | None, at: Instant) -> Instant:
    return at if known is None or at > known else known


def _sold(known: CategoryTotals, lines: Line, at: Instant) -> CategoryTotals:
    """One order more in a category; `lines`: all of its lines there together."""
    return CategoryTotals(
        known.orders + 1,
        known.quantity + lines.quantity,
        known.total + lines.total,
        _later(known.last_at, at),
    )


def _together(known: Line, line: Line) -> Line:
    """Two lines of one SKU, or of one category, in one order."""
    return Line(
        line.sku,
        line.category if line.category is not None else known.category,
        known.quantity + line.quantity,
        known.total + line.total,
        line.pack_days if line.pack_days is not None else known.pack_days,
    )


def _bought(known: SkuTotals | None, line: Line, at: Instant) -> SkuTotals:
    if known is None or known.last_at is None:
        return SkuTotals(line.category, 1, line.quantity, at, line.quantity, line.pack_days)
    return SkuTotals(
        line.category if line.category is not None else known.category,
        known.orders + 1,
        known.quantity + line.quantity,
        at,
        line.quantity,
        line.pack_days if line.pack_days is not None else known.pack_days,
        (*known.intervals, (at - known.last_at) // HOUR)[-_INTERVALS:],
    )
