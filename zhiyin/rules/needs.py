"""What somebody must have for a rule ever to hold of them without a new event.

Whoever lacks one of a rule's needs is out, and time alone never takes them in: the rule answers
(False, None). Needs are looked up by value, so that of thousands of rules only those are evaluated
that may hold of the person at hand.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Final

from zhiyin.rules.comparing import typed, typed_test, value_test
from zhiyin.rules.compiling.values import steady
from zhiyin.rules.health import with_consent
from zhiyin.rules.loose import NEGATIONS, many
from zhiyin.rules.marks import (
    EQUALITY,
    PRESENT,
    Family,
    Mark,
    comparable,
    mark_of,
    marks_asked,
    marks_of,
)
from zhiyin.rules.numbers import Exact, exact
from zhiyin.rules.options import DEFAULT, Options
from zhiyin.rules.paths import AGES, FactPath, Kind, is_scored, locate
from zhiyin.rules.person import Person
from zhiyin.rules.tree import (
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    Condition,
    FactIs,
    InSegment,
    Leaf,
    Not,
    Recency,
    Rule,
    Selector,
    Streak,
    Tagged,
)

Asked = frozenset[Mark] | Exact
"""One of these marks; of the families `least` and `most`, a number at least or at most that."""
Needs = Mapping[Family, Asked]

LEAST: Final = "least"
MOST: Final = "most"
_ANY_VALUE: Final = frozenset({PRESENT})
_SCORES: Final = (None, *range(6))
_NOTHING: Final[Needs] = {}


def needs(rule: Rule, options: Options = DEFAULT) -> Needs:
    """All of them are needed; a rule without any may hold of anybody."""
    return _needs(with_consent(rule), options)


def _needs(rule: Rule, options: Options) -> Needs:
    match rule:
        case AllOf(clauses):
            return reduce(_both, [_needs(each, options) for each in clauses])
        case AnyOf(clauses):
            return reduce(_either, [_needs(each, options) for each in clauses])
        case Not(Not(clause)):
            return _needs(clause, options)
        case Not(FactIs(path, op, value)) if op in NEGATIONS:
            return _needs(FactIs(path, NEGATIONS[op], value), options)
        case Not():
            return _NOTHING
        case _:
            return _of_leaf(rule, options)


def _both(one: Needs, other: Needs) -> Needs:
    """Of two needs of one family the one that fewer people meet."""
    shared = one.keys() & other.keys()
    return {**one, **other, **{each: _closer(each, one[each], other[each]) for each in shared}}


def _either(one: Needs, other: Needs) -> Needs:
    shared = one.keys() & other.keys()
    return {each: _wider(each, one[each], other[each]) for each in shared}


def _closer(family: Family, one: Any, other: Any) -> Any:
    if family[0] in (LEAST, MOST):
        return max(one, other) if family[0] == LEAST else min(one, other)
    return min(one, other, key=len)


def _wider(family: Family, one: Any, other: Any) -> Any:
    if family[0] in (LEAST, MOST):
        return min(one, other) if family[0] == LEAST else max(one, other)
    return frozenset(one | other)


def _of_leaf(leaf: Leaf, options: Options) -> Needs:
    match leaf:
        case FactIs():
            return _of_fact(leaf, options)
        case Aggregate():
            return _of_number(leaf, 0 if leaf.function in ("count", "sum") else None)
        case Streak():
            return _of_number(leaf, 0)
        case Recency():
            return _of_events(leaf.selector)
        case Tagged(name):
            return {("tags",): marks_of((name,))}
        case InSegment(key):
            return {("segments",): marks_of((key,))}
        case Anniversary(path):
            return _presence(locate(path), path)


def _of_number(clause: Aggregate | Streak, of_nothing: int | None) -> Needs:
    """`of_nothing`: the number of somebody without any such event."""
    wanted = tuple(exact(each) for each in many(clause.value))
    return _NOTHING if typed_test(clause.op, wanted)(of_nothing) else _of_events(clause.selector)


def _of_events(selector: Selector) -> Needs:
    found: Needs = reduce(
        _both, [_of_condition(selector.event, each) for each in selector.where], _NOTHING
    )
    return found or {("events",): frozenset({selector.event})}


def _of_condition(event_type: str, condition: Condition) -> Needs:
    asked = marks_asked(condition)
    return {("events", event_type, condition.property): asked} if asked else _NOTHING


def _of_fact(fact: FactIs, options: Options) -> Needs:
    path = locate(fact.path)
    if path is None or fact.op in NEGATIONS or path.root == "as_of":
        return _NOTHING
    if path.root in ("tags", "segments"):
        return _of_names(path, fact)
    if path.name:
        return _of_named(path, fact, options)
    if steady(path) is None:
        return _of_course(path, fact, options)
    return _of_fixed(path, fact, options)


def _of_names(path: FactPath, fact: FactIs) -> Needs:
    names = many(fact.value)
    if fact.op == "all_of":
        names = names[:1]
    elif fact.op not in EQUALITY:
        return _NOTHING
    return {(path.root,): marks_of(names)} if comparable(names) else _NOTHING


def _of_named(path: FactPath, fact: FactIs, options: Options) -> Needs:
    """Under a name that the customer's data decides: a value of their own, or the name itself."""
    absent = 0 if path.kind in (Kind.NUMBER, Kind.MONEY) else None
    if fact.op not in AGES and value_test(fact.op, fact.value, path.kind, options)(absent):
        return _NOTHING
    if path.root in ("categories", "skus", "identifiers"):
        return {(path.root,): frozenset({path.name})}
    if fact.op in EQUALITY and path.kind is not Kind.TIME and comparable(fact.value):
        return {("fact", fact.path): marks_of(fact.value)}
    return _presence(path, fact.path)


def _presence(path: FactPath | None, written: str) -> Needs:
    if path is None or steady(path) is None:
        return _NOTHING
    return {("fact", written): _ANY_VALUE}


def _of_course(path: FactPath, fact: FactIs, options: Options) -> Needs:
    """Of what time changes: one of the values wanted, now or later."""
    if not is_scored(path):
        return _NOTHING
    if path.kind is Kind.NUMBER:
        test = value_test(fact.op, fact.value, path.kind, options)
        return {("fact", fact.path): frozenset(mark_of(each) for each in _SCORES if test(each))}
    return {("fact", fact.path): marks_of(fact.value)} if fact.op in EQUALITY else _NOTHING


def _of_fixed(path: FactPath, fact: FactIs, options: Options) -> Needs:
    if path.kind in (Kind.NUMBER, Kind.MONEY):
        return _of_bounds(path, fact, options)
    if path.kind is Kind.TEXT and fact.op in EQUALITY:
        return {("fact", fact.path): marks_of(fact.value)}
    if path.kind is Kind.TIME:
        return _presence(path, fact.path)
    return _NOTHING


def _of_bounds(path: FactPath, fact: FactIs, options: Options) -> Needs:
    bounds = [typed(each, path.kind, options) for each in many(fact.value)]
    found: dict[Family, Asked] = {}
    if fact.op in ("gt", "gte", "between", *EQUALITY):
        found[LEAST, fact.path] = min(bounds)
    if fact.op in ("lt", "lte", "between", *EQUALITY):
        found[MOST, fact.path] = max(bounds)
    return found


def number_reader(family: Family) -> Callable[[Person], Exact | None]:
    """Reads the number of a family of `least` or `most`."""
    path = locate(family[1])
    read = None if path is None else steady(path)
    if read is None:
        raise ValueError(f"there is no number of {family!r}")
    return read
