"""Ops over values whose type only the data knows: attributes, properties of events, lists.

A list passes if one of its values does. A number and the text that spells it are equal; text is
equal to the same text only. `ne`, `not_in`, `none_of`, `missing` hold exactly when `eq`, `in`,
`any_of`, `exists` do not.
"""

import operator
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Any, Final

from zhiyin.rules.numbers import exact, looks_like_time, time_of
from zhiyin.rules.options import Options
from zhiyin.rules.paths import ORDERING
from zhiyin.rules.tree import Op

Test = Callable[[Any], bool]
NEGATIONS: Final[dict[Op, Op]] = {
    "ne": "eq",
    "not_in": "in",
    "none_of": "any_of",
    "missing": "exists",
}
ORDER: Final[dict[str, Callable[[Any, Any], bool]]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
_LISTS: Final = (list, tuple, frozenset)


def many(value: Any) -> tuple[Any, ...]:
    """A rule's value as a tuple, whatever its op takes."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)


def exists(found: Any) -> bool:
    return found is not None and not (isinstance(found, _LISTS) and not found)


def loose_test(op: Op, value: Any, options: Options) -> Test:
    """For any op but the negations and the ages."""
    if op == "exists":
        return exists
    if op in ORDERING:
        return _ordered(op, many(value), options)
    if op == "all_of":
        tests = [_equals((each,)) for each in many(value)]
        return lambda found: all(test(found) for test in tests)
    if op == "contains":
        return _contains(value)
    if op == "starts_with":
        return lambda found: any(
            isinstance(each, str) and each.startswith(value) for each in _each(found)
        )
    return _equals(many(value))


def _each(found: Any) -> Iterable[Any]:
    if found is None:
        return ()
    return found if isinstance(found, _LISTS) else (found,)


def _equals(wanted: tuple[Any, ...]) -> Test:
    """Whether a value, or one value of a list, is among the wanted ones."""
    flags = {each for each in wanted if isinstance(each, bool)}
    texts = {each for each in wanted if isinstance(each, str)}
    numbers = {
        exact(each)
        for each in wanted
        if isinstance(each, (int, float, Decimal)) and not isinstance(each, bool)
    }
    has_numbers = bool(numbers)
    spelt = numbers | {exact(each) for each in texts} - {None}

    def one(found: Any) -> bool:
        if isinstance(found, str):
            return found in texts or (has_numbers and exact(found) in numbers)
        if isinstance(found, bool):
            return found in flags
        return found is not None and exact(found) in spelt

    def test(found: Any) -> bool:
        if isinstance(found, _LISTS):
            return any(map(one, found))
        return one(found)

    return test


def _contains(value: Any) -> Test:
    """A list contains a value; a text contains a piece of text."""
    member = _equals((value,))
    if not isinstance(value, str):
        return lambda found: isinstance(found, _LISTS) and member(found)

    def test(found: Any) -> bool:
        return value in found if isinstance(found, str) else member(found)

    return test


def _ordered(op: Op, wanted: tuple[Any, ...], options: Options) -> Test:
    read = _reader_of(wanted[0], options)
    bounds = [read(each) for each in wanted]
    if op == "between":
        low, high = bounds

        def holds(found: Any) -> bool:
            return bool(low <= found <= high)
    else:
        bound, order = bounds[0], ORDER[op]

        def holds(found: Any) -> bool:
            return order(found, bound)

    def test(found: Any) -> bool:
        read_all = (read(each) for each in _each(found))
        return any(each is not None and holds(each) for each in read_all)

    return test


def _reader_of(wanted: Any, options: Options) -> Callable[[Any], Any]:
    """Numbers are compared with numbers, times with times, by what the rule names."""
    if isinstance(wanted, str) and looks_like_time(wanted):
        zone = options.zone
        return lambda found: time_of(found, zone)
    return exact
