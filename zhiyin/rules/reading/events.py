"""Clauses about events: counts, sums, extremes, recency, streaks."""

from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any, Final, Literal, cast

from zhiyin.contracts.profiles import EXACT_WINDOW
from zhiyin.contracts.properties.event_types import PROPERTIES, known
from zhiyin.rules.paths import OPS, ORDERING, Kind
from zhiyin.rules.reading.reader import Reader, child, quoted
from zhiyin.rules.reading.values import read_op, read_test
from zhiyin.rules.tree import Aggregate, Condition, Op, Recency, RuleValue, Selector, Streak

_NUMERIC: Final[frozenset[Op]] = ORDERING | {"eq", "ne", "in", "not_in"}
_CONDITIONS: Final[frozenset[Op]] = OPS[Kind.ANY] - {"older_than", "newer_than"}
_MOST_COMPARED: Final = 64
_Raw = Mapping[str, Any]


def read_aggregate(reader: Reader, raw: _Raw, pointer: str, function: str) -> Aggregate:
    reader.keys(raw, pointer, (function, "op", "value"))
    inside = child(pointer, function)
    body = reader.table(raw[function], inside, function)
    of = None
    if function == "count":
        reader.keys(body, inside, ("event", "where", "within"))
    else:
        reader.keys(body, inside, ("event", "where", "within", "property"))
        given = reader.required(body, inside, "property")
        of = reader.text(given, child(inside, "property"), "a property's name")
    within = None
    if "within" in body:
        within = reader.duration(body["within"], child(inside, "within"), EXACT_WINDOW)
    selector = _selector(reader, body, inside)
    kind = Kind.NUMBER if function == "count" else Kind.MONEY
    op, value = _comparison(reader, raw, pointer, kind, f"a {function}")
    name = cast(Literal["count", "sum", "max", "min"], function)
    return Aggregate(name, selector, op, value, within, of)


def read_recency(reader: Reader, raw: _Raw, pointer: str, which: str) -> Recency:
    reader.keys(raw, pointer, (which, "older_than", "newer_than"))
    inside = child(pointer, which)
    body = reader.table(raw[which], inside, which)
    reader.keys(body, inside, ("event", "where"))
    selector = _selector(reader, body, inside)
    bounds = {
        name: reader.duration(raw[name], child(pointer, name))
        for name in ("older_than", "newer_than")
        if name in raw
    }
    if not bounds:
        message = f"{which!r} needs 'older_than' or 'newer_than'"
        reader.refuse(pointer, "missing_key", message)
    if selector.where:
        for name, bound in bounds.items():
            reader.duration(bound, child(pointer, name), EXACT_WINDOW)
    return Recency(
        cast(Literal["last", "first"], which),
        selector,
        bounds.get("older_than"),
        bounds.get("newer_than"),
    )


def read_streak(reader: Reader, raw: _Raw, pointer: str) -> Streak:
    reader.keys(raw, pointer, ("streak", "op", "value"))
    inside = child(pointer, "streak")
    body = reader.table(raw["streak"], inside, "streak")
    reader.keys(body, inside, ("event", "where"))
    selector = _selector(reader, body, inside)
    op, value = _comparison(reader, raw, pointer, Kind.NUMBER, "a streak")
    return Streak(selector, op, value)


def _comparison(
    reader: Reader, raw: _Raw, pointer: str, kind: Kind, subject: str
) -> tuple[Op, RuleValue]:
    given = reader.required(raw, pointer, "op")
    op = read_op(reader, given, child(pointer, "op"), _NUMERIC, subject)
    value = reader.required(raw, pointer, "value")
    return read_test(reader, op, value, child(pointer, "value"), kind)


def _selector(reader: Reader, body: _Raw, pointer: str) -> Selector:
    at = child(pointer, "event")
    event = reader.text(reader.required(body, pointer, "event"), at, "an event type")
    if not known(event):
        close = get_close_matches(event[:_MOST_COMPARED], PROPERTIES, n=1, cutoff=0.75)
        hint = f"did you mean {close[0]}?" if close else "custom ones begin with 'custom.'"
        message = f"there is no event type {quoted(event)}; {hint}"
        reader.refuse(at, "unknown_event_type", message)
    if "where" not in body:
        return Selector(event)
    return Selector(event, read_where(reader, body["where"], child(pointer, "where")))


def read_where(reader: Reader, raw: object, pointer: str) -> tuple[Condition, ...]:
    """Conditions on properties: a bare value is equality, a list is `in`, an object names ops."""
    table = reader.table(raw, pointer, "where")
    found: list[Condition] = []
    for name, test in table.items():
        at = child(pointer, name)
        of = reader.text(name, at, "a property's name")
        found.extend(_conditions(reader, of, test, at))
    return tuple(found)


def _conditions(reader: Reader, name: str, test: object, pointer: str) -> list[Condition]:
    if not isinstance(test, dict):
        reader.count(pointer)
        op: Op = "in" if isinstance(test, (list, tuple)) else "eq"
        return [Condition(name, *read_test(reader, op, test, pointer, Kind.ANY))]
    if not test:
        reader.refuse(pointer, "empty", "a condition needs an op")
    return [_condition(reader, name, op, value, pointer) for op, value in test.items()]


def _condition(reader: Reader, name: str, raw: object, value: object, pointer: str) -> Condition:
    at = child(pointer, raw)
    reader.count(at)
    op = read_op(reader, raw, at, _CONDITIONS, "a property")
    return Condition(name, *read_test(reader, op, value, at, Kind.ANY))
