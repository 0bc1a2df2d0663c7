"""What a person's orders add up to: totals, categories, SKUs. Only what is touched is decoded.

Orders count one after the other, oldest first. Those of which not everything is kept any more are
settled; should a later one change, the books are rewound to them and the later ones count again.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, TypeVar

import msgspec
from msgspec import Raw

from services.profile.domain.history import History
from services.profile.domain.limits import Limits
from services.profile.domain.packed import (
    NO_SETTLED,
    PackedFacts,
    PackedSettled,
    decode_settled,
)
from services.profile.domain.sales import Sale, bought, sold, with_sale
from services.profile.domain.shelf import Kind, Shelf
from zhiyin.contracts.buying import Buying, CategoryTotals, Order, Place, SkuTotals
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.money import Minor
from zhiyin.contracts.profiles import EXACT_WINDOW, encode

_T = TypeVar("_T")
_NEVER: Final[Place] = (0, "", "")
_EMPTY: Final = Raw(b"\x90")
_WINDOW_DAYS: Final = EXACT_WINDOW // DAY
_encode: Final = msgspec.msgpack.Encoder().encode  # of nothing with maps in it
_order: Final = msgspec.msgpack.Decoder(Order)
_recent: Final = msgspec.msgpack.Decoder(tuple[Instant, Minor])
_days: Final = msgspec.msgpack.Decoder(list[tuple[int, int, Minor]])


def _oldest(names: Mapping[str, _T], at: Callable[[_T], Instant | None], keep: int) -> list[str]:
    newest_last = sorted(names, key=lambda name: (at(names[name]) or 0, name))
    return newest_last[: max(len(newest_last) - keep, 0)]


@lru_cache(maxsize=8)
def _categories(limits: tuple[int, int]) -> Kind[CategoryTotals]:
    most, keep = limits
    decode = msgspec.msgpack.Decoder(CategoryTotals).decode
    return Kind(decode, most, lambda known: _oldest(known, lambda each: each.last_at, keep))


@lru_cache(maxsize=8)
def _skus(limits: tuple[int, int, int]) -> Kind[SkuTotals]:
    """What was bought again is remembered longer than what was tried once."""
    most, keep_once, keep_again = limits

    def least(known: Mapping[str, SkuTotals]) -> list[str]:
        once = {name: each for name, each in known.items() if each.orders == 1}
        again = {name: each for name, each in known.items() if each.orders > 1}
        return [
            *_oldest(once, lambda each: each.last_at, keep_once),
            *_oldest(again, lambda each: each.last_at, keep_again),
        ]

    return Kind(msgspec.msgpack.Decoder(SkuTotals).decode, most, least)


class Books:
    """Mutable within one fold. `settled`: the place of the newest settled order, None before the
    first."""

    __slots__ = (
        "_before",
        "_days",
        "_limits",
        "_recent",
        "buying",
        "categories",
        "orders_kept",
        "settled",
        "skus",
    )

    def __init__(self, facts: PackedFacts, limits: Limits) -> None:
        self._limits = limits
        self.buying = Buying(facts.orders, facts.gifts, facts.prices, facts.channels, facts.stores)
        self.orders_kept: dict[str, Raw] = dict(facts.orders_kept)
        settled = decode_settled(facts.settled)
        self.settled: Place | None = None if settled is None else settled.place
        self._before = Buying() if settled is None else settled.buying
        self._recent = History(_EMPTY if settled is None else settled.recent)
        self._days = _EMPTY if settled is None else settled.days
        below = (None, None) if settled is None else (settled.categories, settled.skus)
        self.categories: Shelf[CategoryTotals] = Shelf(
            _categories(limits.categories), facts.categories, below[0]
        )
        self.skus: Shelf[SkuTotals] = Shelf(_skus(limits.skus), facts.skus, below[1])

    def order(self, order_id: str) -> Order | None:
        packed = self.orders_kept.get(order_id)
        return None if packed is None else _order.decode(packed)

    def note(self, order_id: str, order: Order) -> None:
        """Keep an order, or what little is known of it."""
        self.orders_kept[order_id] = Raw(_encode(order))

    def add(self, sale: Sale) -> None:
        """Count an order newer than all."""
        at = sale.order.at
        self.buying = with_sale(self.buying, sale)
        for category, line in sale.by_category().items():
            self.categories.put(category, sold(self.categories.get(category), line, at))
        for sku, line in sale.by_sku().items():
            self.skus.put(sku, bought(self.skus.get(sku), line, at))
        self.categories.bound()
        self.skus.bound()

    def settle(self, place: Place, sale: Sale | None) -> None:
        """The oldest open order can no longer be told apart. `sale` None: it does not stand."""
        self.settled = place
        for shelf in (self.categories, self.skus):
            if shelf.below is None:
                shelf.begin_below()
        if sale is None:
            return
        at = sale.order.at
        self._before = with_sale(self._before, sale)
        for category, line in sale.by_category().items():
            self.categories.settle(category, sold(self.categories.before(category), line, at))
        for sku, line in sale.by_sku().items():
            self.skus.settle(sku, bought(self.skus.before(sku), line, at))
        self.categories.bound_below()
        self.skus.bound_below()
        self._remember(at, sale.order.net)

    def rewind(self) -> None:
        """Back to what stood before the open orders; `orders_kept` is the caller's to tell."""
        self.buying = self._before
        self.categories.rewind()
        self.skus.rewind()

    def _remember(self, at: Instant, net: Minor) -> None:
        self._recent.append(_encode((at, net)))
        if len(self._recent) < self._limits.recent_orders:
            return
        days = _days.decode(self._days)
        for packed in self._recent.take_raw(self._limits.recent_step):
            at, net = _recent.decode(packed)
            day = at // DAY
            if days and days[-1][0] == day:
                days[-1] = (day, days[-1][1] + 1, days[-1][2] + net)
            else:
                days.append((day, 1, net))
        newest = days[-1][0]
        self._days = Raw(_encode([each for each in days if each[0] >= newest - _WINDOW_DAYS]))

    def packed_settled(self) -> Raw:
        if self.settled is None:
            return NO_SETTLED
        settled = PackedSettled(
            self.settled,
            self._before,
            self.categories.below or {},
            self.skus.below or {},
            self._recent.packed(),
            self._days,
        )
        return Raw(encode(settled))
