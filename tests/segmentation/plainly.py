"""Who belongs to which segment, worked out from the raw events as plainly as it can be said."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.rules import naive
from tests.rules.naive import Tree, World
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import Instant, duration, instant, moment

SHANGHAI = ZoneInfo("Asia/Shanghai")
_AS_BEFORE = ("orders.count", "orders.total", "lifecycle.stage", "rfm.")


def members(events: Sequence[Event], rules: Mapping[str, Tree], now: Instant) -> set[str]:
    """The rules, by key and each after those it reads, that hold of a person with these events."""
    inside: list[str] = []
    world = World(events, segments=inside)
    for key, rule in rules.items():
        if holds(world, rule, now):
            inside.append(key)
    return set(inside)


def holds(world: World, rule: Tree, now: Instant) -> bool:
    if "all" in rule:
        return all(holds(world, each, now) for each in rule["all"])
    if "any" in rule:
        return any(holds(world, each, now) for each in rule["any"])
    if "not" in rule:
        return not holds(world, rule["not"], now)
    if "anniversary" in rule:
        return _comes_round(_fact(world, rule["anniversary"]), duration(rule["within"]), now)
    if "fact" not in rule or rule["fact"].startswith(_AS_BEFORE):
        return naive.holds(world, rule, now)
    return _compare(rule["op"], rule.get("value"), _fact(world, rule["fact"]), now)


def _compare(op: str, wanted: Any, found: Any, now: Instant) -> bool:
    if op == "exists":
        return found not in (None, [])
    if op in ("older_than", "newer_than"):
        at = _time(found)
        return at is not None and (now - at > duration(wanted)) is (op == "older_than")
    if op in ("in", "any_of"):
        return any(one in wanted for one in (found if isinstance(found, list) else [found]))
    if found is None:
        return False
    if isinstance(wanted, (int, str)) and not isinstance(wanted, bool) and op != "eq":
        found, wanted = Decimal(str(found)), Decimal(str(wanted))
    return bool(naive.COMPARE[op](found, wanted))


def _fact(world: World, path: str) -> Any:
    root, _, name = path.partition(".")
    match root:
        case "attributes" | "consents":
            return _last_said(world, root, name)
        case "identifiers":
            return [e.customer[name] for e, _, _ in world.told if name in e.customer]
        case "tags":
            return []
        case "orders":
            return _orders(world, name)
        case _:
            return _support(world, name)


def _last_said(world: World, table: str, name: str) -> Any:
    said = [_said(event, given, table) for event, _, given in world.told]
    named = [each[name] for each in said if name in each]
    return named[-1] if named else None


def _said(event: Event, given: Mapping[str, Any], table: str) -> Mapping[str, Any]:
    """Whoever unsubscribes from a channel takes back the consent to marketing on it."""
    if table == "consents" and event.type == "engagement.unsubscribed":
        return {f"marketing.{given['channel']}": False}
    return given.get(table) or {}


def _orders(world: World, name: str) -> Any:
    if name == "average":
        spent, count = sum(net for _, net in world.orders), len(world.orders)
        return Decimal((2 * spent + count) // (2 * count)) / 100 if count else Decimal(0)
    ats = [at for at, _ in world.orders]
    return (ats[0] if name == "first_at" else ats[-1]) if ats else None


def _support(world: World, name: str) -> Any:
    opened: dict[str, tuple[str, Instant]] = {}
    resolved: dict[str, Instant] = {}
    scores: dict[str, int] = {}
    for event, at, given in world.told:
        match event.type:
            case "support.opened":
                opened[given["ticket_id"]] = (given["kind"], at)
            case "support.resolved":
                resolved[given["ticket_id"]] = at
            case "support.rated":
                scores[given["ticket_id"]] = given["score"]
            case _:
                pass
    if name == "rating":
        mean = Decimal(sum(scores.values())) / len(scores) if scores else None
        return None if mean is None else round(mean + Decimal("1e-9"), 2)
    return sum(
        kind == "complaint" and not (ticket in resolved and resolved[ticket] >= at)
        for ticket, (kind, at) in opened.items()
    )


def _time(found: Any) -> Instant | None:
    if not isinstance(found, str):
        return found  # type: ignore[no-any-return]
    if len(found) == len("2026-01-01"):
        return _midnight(date.fromisoformat(found))
    return instant(datetime.fromisoformat(found))


def _midnight(day: date) -> Instant:
    return instant(datetime.combine(day, time(), SHANGHAI))


def _comes_round(found: Any, within: int, now: Instant) -> bool:
    at = _time(found)
    if at is None:
        return False
    born = moment(at).astimezone(SHANGHAI).date()
    year = moment(now).astimezone(SHANGHAI).year
    days = (_in_year(born, each) for each in (year - 1, year, year + 1))
    return any(_midnight(day) - within <= now < _midnight(day + timedelta(days=1)) for day in days)


def _in_year(born: date, year: int) -> date:
    try:
        return born.replace(year=year)
    except ValueError:
        return date(year, 2, 28)
