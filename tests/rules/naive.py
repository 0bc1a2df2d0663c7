"""The rule language once more, as plainly as it can be said: straight over the raw events at one
instant, without caches, windows or flips. What the fast evaluator says is held against this."""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import msgspec

from tests.people import orders_of
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, Instant, duration, instant
from zhiyin.contracts.profiles import Tag

COMPARE: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "gt": lambda a, b: a > b,
    "gte": lambda a, b: a >= b,
    "lt": lambda a, b: a < b,
    "lte": lambda a, b: a <= b,
    "in": lambda a, b: a in b,
    "not_in": lambda a, b: a not in b,
    "between": lambda a, b: b[0] <= a <= b[1],
}
Tree = Mapping[str, Any]
Told = tuple[Event, Instant, dict[str, Any]]


class World:
    """One person's events, tags and segments."""

    def __init__(
        self,
        events: Sequence[Event],
        tags: Mapping[str, Tag] | None = None,
        segments: Sequence[str] = (),
    ) -> None:
        self.told: list[Told] = sorted(
            ((e, instant(e.occurred_at), msgspec.json.decode(e.properties)) for e in events),
            key=lambda each: (each[1], each[0].event_id),
        )
        self.tags = dict(tags or {})
        self.segments = segments
        orders = [order for order in orders_of(self.told).values() if order.counts]
        self.orders = sorted((order.at, order.net) for order in orders)


def holds(world: World, rule: Tree, now: Instant) -> bool:
    """Whether a rule, as JSON, is true of a person at an instant."""
    if "all" in rule:
        return all(holds(world, each, now) for each in rule["all"])
    if "any" in rule:
        return any(holds(world, each, now) for each in rule["any"])
    if "not" in rule:
        return not holds(world, rule["not"], now)
    return _leaf(world, rule, now)


def _leaf(world: World, rule: Tree, now: Instant) -> bool:
    for name in ("count", "sum", "max", "min"):
        if name in rule:
            return _compare(rule, _aggregate(world, name, rule[name], now))
    for name in ("last", "first"):
        if name in rule:
            return _recency(world, name, rule, now)
    if "streak" in rule:
        return _compare(rule, _streak(world, rule["streak"], now))
    if "tag" in rule:
        tag = world.tags.get(rule["tag"])
        return tag is not None and (tag.until is None or tag.until > now)
    if "segment" in rule:
        return rule["segment"] in world.segments
    return _compare(rule, _fact(world, rule["fact"], now))


def _compare(rule: Tree, found: Any) -> bool:
    if found is None:
        return rule["op"] in ("ne", "not_in")
    wanted = rule["value"]
    if isinstance(found, Decimal):
        wanted = [Decimal(str(w)) for w in wanted] if isinstance(wanted, list) else wanted
        wanted = Decimal(str(wanted)) if not isinstance(wanted, list) else wanted
    return bool(COMPARE[rule["op"]](found, wanted))


def _matching(world: World, selector: Tree, now: Instant) -> list[Told]:
    return [
        each
        for each in world.told
        if each[0].type == selector["event"] and each[1] <= now and _meets(selector, each[2])
    ]


def _meets(selector: Tree, given: Mapping[str, Any]) -> bool:
    return all(
        _condition(test, [given.get(name), *(i.get(name) for i in given.get("items", []))])
        for name, test in selector.get("where", {}).items()
    )


def _condition(test: Any, places: list[Any]) -> bool:
    if isinstance(test, list):
        return any(place in test for place in places)
    if not isinstance(test, dict):
        return any(place == test for place in places)
    (op, wanted), *_ = test.items()
    if op == "ne":
        return all(place != wanted for place in places)
    if op == "exists":
        return any(place not in (None, []) for place in places)
    there = [Decimal(str(place)) for place in places if place is not None]
    return any(COMPARE[op](place, Decimal(str(wanted))) for place in there)


def _aggregate(world: World, name: str, body: Tree, now: Instant) -> Any:
    found = _matching(world, body, now)
    if "within" in body:
        found = [each for each in found if now - each[1] <= duration(body["within"])]
    if name == "count":
        return len(found)
    numbers = [
        Decimal(str(given[body["property"]])) for _, _, given in found if body["property"] in given
    ]
    if name == "sum":
        return sum(numbers, Decimal(0))
    return None if not numbers else max(numbers) if name == "max" else min(numbers)


def _recency(world: World, name: str, rule: Tree, now: Instant) -> bool:
    found = _matching(world, rule[name], now)
    if not found:
        return False
    age = now - found[-1 if name == "last" else 0][1]
    if "older_than" in rule and not age > duration(rule["older_than"]):
        return False
    return "newer_than" not in rule or age <= duration(rule["newer_than"])


def _streak(world: World, selector: Tree, now: Instant) -> int:
    length = 0
    for event, at, given in reversed(world.told):
        if event.type != selector["event"] or at > now:
            continue
        if not _meets(selector, given):
            break
        length += 1
    return length


def _fact(world: World, path: str, now: Instant) -> Any:
    orders = world.orders
    if path == "orders.count":
        return len(orders)
    if path == "orders.total":
        return Decimal(sum(net for _, net in orders)) / 100
    if path == "lifecycle.stage":
        return stage(orders, now)
    r, f, m = scores(orders, now)
    if path == "rfm.tier":
        return tier(r, m)
    if path == "rfm.class":
        return rfm_class(r, f, m)
    return {"rfm.r": r, "rfm.f": f, "rfm.m": m}[path]


def scores(orders: list[tuple[Instant, int]], now: Instant) -> tuple[int, int, int]:
    if not orders:
        return 0, 0, 0
    now = max(now, orders[-1][0])
    age = now - orders[-1][0]
    year = [net for at, net in orders if now - at <= 365 * DAY]
    r = sum(age <= days * DAY for days in (30, 60, 90, 180)) + 1
    f = sum(len(year) >= least for least in (2, 3, 6, 10)) + 1
    m = sum(sum(year) >= least * 100 for least in (500, 2000, 5000, 10000)) + 1
    return r, f, m


def rfm_class(r: int, f: int, m: int) -> str:
    if r == 0:
        return "none"
    if r >= 4 and f >= 4 and m >= 4:
        return "high_value_loyal"
    if r >= 4 and f <= 3 and m >= 3:
        return "potential_growth"
    if r >= 4:
        return "new_or_small"
    return "churn_warning" if r >= 2 else "dormant"


def tier(r: int, m: int) -> str:
    if r == 0:
        return "none"
    if r == 1:
        return "lost"
    if m >= 4:
        return "vip"
    return "potential" if m == 3 else "ordinary"


def stage(orders: list[tuple[Instant, int]], now: Instant) -> str:
    if not orders:
        return "lead"
    now = max(now, orders[-1][0])
    age = now - orders[-1][0]
    if age > 365 * DAY:
        return "lost"
    if age > 90 * DAY:
        return "dormant"
    if sum(now - at <= 365 * DAY for at, _ in orders) >= 10:
        return "loyal"
    if len(orders) >= 4:
        return "repeat"
    if len(orders) >= 2:
        return "active"
    return "new" if age <= 30 * DAY else "one_time"
