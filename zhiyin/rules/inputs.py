"""What a clause looks at, as narrowly as can be told: a value, a bound among numbers, some events.

Of two snapshots of one person a clause answers the same, now and until the flip that was known,
unless one of its inputs has moved between them. What a change only puts off, such as an order the
day on which somebody has not bought for long, has not moved.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final, Literal

from msgspec import Struct

from zhiyin.contracts.instants import duration
from zhiyin.rules.comparing import typed
from zhiyin.rules.compiling.values import steady
from zhiyin.rules.health import with_consent
from zhiyin.rules.loose import NEGATIONS, many
from zhiyin.rules.marks import EQUALITY, Mark, comparable, marks_asked, marks_of
from zhiyin.rules.numbers import Exact
from zhiyin.rules.options import DEFAULT, Options
from zhiyin.rules.paths import AGES, ORDERING, QUINTILES, FactPath, Kind, is_scored, locate
from zhiyin.rules.reads import dependencies, leaves
from zhiyin.rules.tree import Aggregate, Anniversary, FactIs, Leaf, Recency, Rule

Sort = Literal["all", "value", "mark", "number", "event", "age", "last", "course"]
_COMPARED: Final = ORDERING | EQUALITY | {"ne", "not_in", "none_of"}
_NUMBERS: Final = (Kind.NUMBER, Kind.MONEY)


class Input(Struct, frozen=True):
    """`dependency`: no change without that name moves it (see `reads`). It has moved

    - `all`: if its dependency has changed
    - `value`: if what stands under the path `name` is another
    - `mark`: as `value`, and one of `marks` is among the old or the new one's
    - `number`: as `value`, and one of `bounds` lies between the old and the new one
    - `event`: if events of type `name` have come or gone of which `property` has one of `marks`
    - `age`: if the time under the path `name` is an earlier one, or the old one was older than the
      least of `bounds` (durations)
    - `last`: the same of the newest event that `leaf` selects
    - `course`: if what stands under the path `name` is, or will by time become, anything that
      turns the answer of `leaf` sooner than before
    """

    dependency: str
    sort: Sort = "all"
    name: str = ""
    property: str = ""
    marks: frozenset[Mark] = frozenset()
    bounds: tuple[Exact, ...] = ()
    leaf: FactIs | Recency | None = None


def inputs(rule: Rule, options: Options = DEFAULT) -> frozenset[Input]:
    """Of all its clauses. Other segments and tags are not told apart from their dependency."""
    return frozenset(_all_inputs(rule, options))


def _all_inputs(rule: Rule, options: Options) -> Iterator[Input]:
    for leaf in leaves(with_consent(rule)):
        yield from _inputs(leaf, options)


def _inputs(leaf: Leaf, options: Options) -> Iterable[Input]:
    match leaf:
        case Aggregate() | Recency():
            return _of_events(leaf)
        case FactIs(path):
            return _of_fact(leaf, locate(path), options)
        case Anniversary(path):
            return _of_value(leaf, path, locate(path))
        case _:
            return _coarse(leaf)


def _coarse(leaf: Leaf) -> Iterable[Input]:
    names = set(dependencies(leaf))
    # The population's cut points move with nobody's change, but orders are held against them.
    return [Input(name) for name in (names | {"orders"} if QUINTILES in names else names)]


def _of_events(leaf: Aggregate | Recency) -> Iterable[Input]:
    (dependency,) = dependencies(leaf)
    for condition in leaf.selector.where:
        marks = marks_asked(condition)
        if marks:
            event_type, name = leaf.selector.event, condition.property
            return [Input(dependency, "event", event_type, name, marks)]
    if isinstance(leaf, Recency) and leaf.which == "last":
        return [Input(dependency, "last", leaf.selector.event, bounds=_ages(leaf), leaf=leaf)]
    return [Input(dependency)]


def _ages(leaf: Recency) -> tuple[Exact, ...]:
    return tuple(duration(each) for each in (leaf.older_than, leaf.newer_than) if each is not None)


def _of_value(leaf: Leaf, written: str, path: FactPath | None) -> Iterable[Input]:
    if path is None or path.root == "as_of" or steady(path) is None:
        return _coarse(leaf)
    return [Input(path.dependency, "value", written)]


def _of_fact(fact: FactIs, path: FactPath | None, options: Options) -> Iterable[Input]:
    if path is None or path.root == "as_of":
        return _coarse(fact)
    if steady(path) is None:
        return _of_course(fact, path)
    if path.kind is Kind.TIME and fact.op in AGES:
        bounds = (duration(str(fact.value)),)
        return [Input(path.dependency, "age", fact.path, bounds=bounds)]
    if path.kind in _NUMBERS and fact.op in _COMPARED:
        bounds = tuple(typed(each, path.kind, options) for each in many(fact.value))
        return [Input(path.dependency, "number", fact.path, bounds=bounds)]
    if path.kind in (Kind.ANY, Kind.TEXT, Kind.FLAG) and _by_mark(fact):
        return [Input(path.dependency, "mark", fact.path, marks=marks_of(fact.value))]
    return [Input(path.dependency, "value", fact.path)]


def _of_course(fact: FactIs, path: FactPath) -> Iterable[Input]:
    """Scores, classes and stages: of few values, whose course is known if nothing happens."""
    if not is_scored(path):
        return _coarse(fact)
    course = Input("orders", "course", fact.path, leaf=fact)
    return [course, Input(QUINTILES)] if path.root == QUINTILES else [course]


def _by_mark(fact: FactIs) -> bool:
    return NEGATIONS.get(fact.op, fact.op) in EQUALITY and comparable(fact.value)


def same(one: Any, other: Any) -> bool:
    """Whether every rule takes two values for the same; 1 and true are not."""
    return bool(one == other) and repr(one) == repr(other)
