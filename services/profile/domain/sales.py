"""What one order that stands adds to what orders add up to."""

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from zhiyin.contracts.buying import (
    Buying,
    CategoryTotals,
    GiftTotals,
    Habit,
    Order,
    OrderTotals,
    PriceTotals,
    SkuTotals,
)
from zhiyin.contracts.instants import HOUR, Instant
from zhiyin.contracts.money import Minor

_INTERVALS: Final = 5
_MOST_HABITS: Final = 16
_FEWEST_HABITS: Final = 8


class Line(Struct, frozen=True, gc=False):
    """What is left of an order line after refunds: `quantity` and `total` may be 0."""

    sku: str
    category: str | None
    quantity: int
    total: Minor
    pack_days: int | None
    gift: bool = False


class Sale(Struct, frozen=True):
    """An order that stands, with what it was made of. `coupon`: one was used; `discounted`: it
    was paid less than the list says, by `discount` where the order tells."""

    order: Order
    lines: Sequence[Line]
    channel: str | None = None
    store: str | None = None
    coupon: bool = False
    discounted: bool = False
    discount: Minor = 0

    def by_category(self) -> dict[str, Line]:
        """All lines of each category together."""
        found: dict[str, Line] = {}
        for line in self.lines:
            if line.category is not None:
                known = found.get(line.category)
                found[line.category] = line if known is None else _together(known, line)
        return found

    def by_sku(self) -> dict[str, Line]:
        """All lines of each SKU together, as far as the buyer keeps them."""
        found: dict[str, Line] = {}
        for line in self.lines:
            if line.quantity and not line.gift:
                known = found.get(line.sku)
                found[line.sku] = line if known is None else _together(known, line)
        return found


def with_sale(known: Buying, sale: Sale) -> Buying:
    """One order more. Orders come oldest first."""
    return Buying(
        _with_order(known.orders, sale.order),
        _with_gifts(known.gifts, sale),
        _with_prices(known.prices, sale),
        _with_habit(known.channels, sale.channel, sale.order.at),
        _with_habit(known.stores, sale.store, sale.order.at),
    )


def sold(known: CategoryTotals | None, line: Line, at: Instant) -> CategoryTotals:
    """One order more in a category; `line`: all of its lines there together."""
    known = known or CategoryTotals()
    own = line.quantity > 0 and not line.gift
    return CategoryTotals(
        known.orders + 1,
        known.quantity + line.quantity,
        known.total + line.total,
        _later(known.last_at, at),
        known.gifts + line.gift,
        at if own else known.own_at,
        _gaps(known.intervals, known.own_at, at) if own else known.intervals,
    )


def bought(known: SkuTotals | None, line: Line, at: Instant) -> SkuTotals:
    """One own purchase more of a SKU."""
    if known is None or known.last_at is None:
        return SkuTotals(line.category, 1, line.quantity, at, line.quantity, line.pack_days)
    return SkuTotals(
        line.category if line.category is not None else known.category,
        known.orders + 1,
        known.quantity + line.quantity,
        at,
        line.quantity,
        line.pack_days if line.pack_days is not None else known.pack_days,
        _gaps(known.intervals, known.last_at, at),
    )


def _gaps(known: tuple[int, ...], last_at: Instant | None, at: Instant) -> tuple[int, ...]:
    return known if last_at is None else (*known, (at - last_at) // HOUR)[-_INTERVALS:]


def _with_order(totals: OrderTotals, order: Order) -> OrderTotals:
    first = order.at if totals.first_at is None else min(totals.first_at, order.at)
    return OrderTotals(
        totals.count + 1,
        totals.total + order.net,
        totals.refunded + min(order.refunded, order.total),
        first,
        _later(totals.last_at, order.at),
    )


def _with_gifts(known: GiftTotals, sale: Sale) -> GiftTotals:
    given = [line for line in sale.lines if line.gift]
    if not given and not sale.order.gift:
        return known
    total = sale.order.net if sale.order.gift else sum(line.total for line in given)
    return GiftTotals(known.orders + 1, known.total + total, _later(known.last_at, sale.order.at))


def _with_prices(known: PriceTotals, sale: Sale) -> PriceTotals:
    if not sale.discounted:
        return known
    return PriceTotals(
        known.coupons + sale.coupon,
        known.discounted + 1,
        known.spent + sale.order.net,
        known.discount + sale.discount,
    )


def _with_habit(known: Mapping[str, Habit], name: str | None, at: Instant) -> dict[str, Habit]:
    """The longest unused are forgotten where there are too many."""
    if not name:
        return dict(known)
    old = known.get(name)
    habits = {**known, name: Habit(1 if old is None else old.orders + 1, at)}
    if len(habits) <= _MOST_HABITS:
        return habits
    newest = sorted(habits, key=lambda each: (habits[each].last_at, each))[-_FEWEST_HABITS:]
    return {each: habits[each] for each in sorted(newest)}


def _later(known: Instant | None, at: Instant) -> Instant:
    return at if known is None or at > known else known


def _together(known: Line, line: Line) -> Line:
    """Two lines of one SKU, or of one category, in one order."""
    return Line(
        line.sku,
        line.category if line.category is not None else known.category,
        known.quantity + line.quantity,
        known.total + line.total,
        line.pack_days if line.pack_days is not None else known.pack_days,
        known.gift and line.gift,
    )
