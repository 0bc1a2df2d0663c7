"""What facts say of a person's orders: each order, and what they add up to.

Money is in minor units, times are `Instant` (µs).
"""

from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor

# Where an event stands among a person's: (at, event id, source). No two share it.
Place = tuple[Instant, str, str]


class Order(Struct, frozen=True, array_like=True):
    """An order of which an event is kept. `event_id` is empty while only its cancellation or
    refund has been seen. `events`: how many of its events are kept; `settled`: older than what can
    still be told apart, so that it counts in `Settled` only."""

    at: Instant = 0
    event_id: str = ""
    total: Minor = 0
    gift: bool = False
    cancelled: bool = False
    refunded: Minor = 0
    events: int = 1
    settled: bool = False

    @property
    def counts(self) -> bool:
        """Whether `orders.count` includes it."""
        return self.event_id != "" and not self.cancelled

    @property
    def net(self) -> Minor:
        return max(self.total - self.refunded, 0) if self.counts else 0


class OrderTotals(Struct, frozen=True, array_like=True):
    """Over completed, not cancelled orders of the whole life; `total` is net of refunds."""

    count: int = 0
    total: Minor = 0
    refunded: Minor = 0
    first_at: Instant | None = None
    last_at: Instant | None = None


class GiftTotals(Struct, frozen=True, array_like=True):
    """Orders with something in them to be given away, and what that cost."""

    orders: int = 0
    total: Minor = 0
    last_at: Instant | None = None


class PriceTotals(Struct, frozen=True, array_like=True):
    """`discounted`: orders with anything taken off, by coupon or otherwise; `spent` on them;
    `discount`: what was taken off, where the order says so."""

    coupons: int = 0
    discounted: int = 0
    spent: Minor = 0
    discount: Minor = 0


class Habit(Struct, frozen=True, array_like=True):
    """Orders through one channel or store."""

    orders: int
    last_at: Instant


class CategoryTotals(Struct, frozen=True, array_like=True):
    """`gifts`: orders of those in which it was given away; the last three fields are of own use."""

    orders: int = 0
    quantity: int = 0
    total: Minor = 0
    last_at: Instant | None = None
    gifts: int = 0
    own_at: Instant | None = None  # last bought for own use
    intervals: tuple[int, ...] = ()  # newest five gaps between own purchases, whole hours


class SkuTotals(Struct, frozen=True, array_like=True):
    """Own use only: gifts are left out, so that they never make a reorder due."""

    category: str | None = None
    orders: int = 0
    quantity: int = 0
    last_at: Instant | None = None
    last_quantity: int = 0
    pack_days: int | None = None
    intervals: tuple[int, ...] = ()  # newest five gaps between own purchases, whole hours


class Buying(Struct, frozen=True, array_like=True):
    """What orders add up to, however many there are."""

    orders: OrderTotals = OrderTotals()
    gifts: GiftTotals = GiftTotals()
    prices: PriceTotals = PriceTotals()
    channels: dict[str, Habit] = {}
    stores: dict[str, Habit] = {}


class Settled(Struct, frozen=True, array_like=True):
    """The orders up to `place`, of which not everything is kept any more, as they stood before any
    later order: to begin from when one of those changes.

    - `categories`, `skus`: only what differs from what facts say; None for what was not there
    - `recent`: (at, net) of the newest standing ones, oldest first; `days`: the older of the last
      400 days as (day number since 1970 UTC, orders, net)
    """

    place: Place
    buying: Buying
    categories: dict[str, CategoryTotals | None]
    skus: dict[str, SkuTotals | None]
    recent: tuple[tuple[Instant, Minor], ...]
    days: tuple[tuple[int, int, Minor], ...]
