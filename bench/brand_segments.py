"""Segments of a brand with many of them: the ready library, then what operators add per category,
product, city and campaign; seeded."""

import random
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from bench.streams import CATEGORIES
from services.segmentation.domain.ready_segments.shelf import LIBRARY, STANDARD
from zhiyin.rules import parse_text, unparse

CITIES: Final = tuple(f"城市{number}" for number in range(60))
_WINDOWS: Final = (3, 7, 14, 30, 45, 60, 90, 120, 180, 365)
_STAGES: Final = ("new", "one_time", "active", "repeat", "loyal", "dormant", "lost")
_CLASSES: Final = (
    "high_value_loyal",
    "potential_growth",
    "churn_warning",
    "dormant",
    "new_or_small",
)
_LEAD: Final = (*sorted(STANDARD), *(one.key for one in LIBRARY if one.key not in STANDARD))


def brand_segments(count: int) -> dict[str, Any]:
    """Key → rule: the standard ones first, then the rest of the library, then the brand's own."""
    ready = {one.key: one.rule for one in LIBRARY}
    library = {key: ready[key] for key in _LEAD[:count]}
    own = islice(_own(random.Random(11)), count - len(library))
    return library | {f"own-{number}": unparse(parse_text(text)) for number, text in enumerate(own)}


def _own(rng: random.Random) -> Iterator[str]:
    kinds, weights = zip(*_KINDS.items(), strict=True)
    while True:
        yield rng.choices(kinds, weights)[0](rng)


def _days(rng: random.Random) -> int:
    """Round numbers of days most of the time."""
    return rng.choice(_WINDOWS) if rng.random() < 0.7 else rng.randint(2, 400)


def _category(rng: random.Random) -> str:
    return rng.choice(CATEGORIES)


def _regular_of_category(rng: random.Random) -> str:
    category = _category(rng)
    return (
        f"categories.{category}.orders >= {rng.randint(2, 12)} and "
        f"last(purchase.completed where category = {category}) older than {_days(rng)}d"
    )


def _spent_on_category(rng: random.Random) -> str:
    least = rng.choice((200, 500, 1000, 2000, 5000))
    return f"categories.{_category(rng)}.total >= {least + rng.randrange(100)}"


def _looked_not_bought(rng: random.Random) -> str:
    category, days = _category(rng), _days(rng)
    return (
        f"count(browse.viewed where category = {category} within {days}d) >= {rng.randint(1, 5)} "
        f"and not last(purchase.completed where category = {category}) newer than {days}d"
    )


def _bought_product(rng: random.Random) -> str:
    sku, days = f"S{rng.randrange(300)}", _days(rng)
    return f"count(purchase.completed where sku = {sku} within {days}d) >= {rng.randint(1, 2)}"


def _looked_at_product(rng: random.Random) -> str:
    return f"last(browse.viewed where sku = S{rng.randrange(300)}) newer than {_days(rng)}d"


def _in_city(rng: random.Random) -> str:
    stages = ", ".join(rng.sample(_STAGES, rng.randint(1, 3)))
    return f"attributes.city = {rng.choice(CITIES)} and lifecycle.stage in ({stages})"


def _quiet_in_city(rng: random.Random) -> str:
    days = _days(rng)
    return (
        f"attributes.city = {rng.choice(CITIES)} and last(purchase.completed) older than {days}d "
        f"newer than {days + 30}d"
    )


def _spender(rng: random.Random) -> str:
    low = rng.choice((100, 300, 500, 1000, 2000, 5000)) + rng.randrange(100)
    return f"orders.total between {low} and {low * 2} and rfm.class in ({rng.choice(_CLASSES)})"


def _spent_lately(rng: random.Random) -> str:
    days, least = _days(rng), 50 * rng.randint(2, 60)
    return f"sum(total of purchase.completed within {days}d) >= {least}"


def _quiet(rng: random.Random) -> str:
    return (
        f"orders.count >= {rng.randint(1, 9)} and last(purchase.completed) older than {_days(rng)}d"
    )


def _fan_of_kind(rng: random.Random) -> str:
    return f"streak(browse.viewed where category = {_category(rng)}) >= {rng.randint(2, 4)}"


def _birthday(rng: random.Random) -> str:
    return (
        f"anniversary(attributes.birthday) within {rng.choice((1, 3, 7, 14))}d and "
        f"attributes.gender = {rng.choice('fm')} and rfm.class in ({rng.choice(_CLASSES)})"
    )


def _of_segment(rng: random.Random) -> str:
    ready = rng.choice(sorted(STANDARD))
    return f"segment {ready} and not categories.{_category(rng)}.orders >= {rng.randint(1, 3)}"


def _part_of_segment(rng: random.Random) -> str:
    return f"segment {rng.choice(sorted(STANDARD))} and attributes.city = {rng.choice(CITIES)}"


def _tagged(rng: random.Random) -> str:
    return (
        f"tag campaign-{rng.randrange(200)} and last(purchase.completed) newer than {_days(rng)}d"
    )


def _after_first_order(rng: random.Random) -> str:
    days = rng.randint(1, 30)
    return (
        f"first(purchase.completed where category = {_category(rng)}) older than {days}d "
        f"newer than {days + rng.choice((7, 14, 30))}d"
    )


_KINDS: Final[Mapping[Callable[[random.Random], str], int]] = {
    _regular_of_category: 12,
    _spent_on_category: 6,
    _looked_not_bought: 10,
    _bought_product: 14,
    _looked_at_product: 8,
    _in_city: 8,
    _quiet_in_city: 6,
    _spender: 6,
    _spent_lately: 5,
    _quiet: 4,
    _fan_of_kind: 4,
    _birthday: 4,
    _of_segment: 3,
    _part_of_segment: 4,
    _tagged: 4,
    _after_first_order: 4,
}
