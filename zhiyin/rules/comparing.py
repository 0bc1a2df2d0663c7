"""Ops as functions over the profile: what stands under a path in, whether the op holds out."""

from typing import Any

from zhiyin.contracts.money import exponent
from zhiyin.rules.loose import NEGATIONS, ORDER, Test, exists, loose_test, many
from zhiyin.rules.numbers import Exact, exact, time_of
from zhiyin.rules.options import Options
from zhiyin.rules.paths import ORDERING, Kind
from zhiyin.rules.tree import Op, RuleValue, Scalar


def value_test(op: Op, value: RuleValue, kind: Kind, options: Options) -> Test:
    """For what the profile holds under a path; None stands for what is not there."""
    if op in NEGATIONS:
        positive = value_test(NEGATIONS[op], value, kind, options)
        return lambda found: not positive(found)
    if op == "exists":
        return exists
    if kind in (Kind.LIST, Kind.ANY):
        return loose_test(op, value, options)
    return _typed_test(op, value, kind, options)


def _typed_test(op: Op, value: RuleValue, kind: Kind, options: Options) -> Test:
    """For a value whose type is known from its path: compared without a look at its type."""
    if op == "contains":
        return lambda found: found is not None and value in found
    if op == "starts_with":
        return lambda found: found is not None and found.startswith(value)
    return typed_test(op, tuple(typed(each, kind, options) for each in many(value)))


def typed_test(op: Op, wanted: tuple[Any, ...]) -> Test:
    """A comparison with values that are already in the unit of what is compared."""
    if op in NEGATIONS:
        positive = typed_test(NEGATIONS[op], wanted)
        return lambda found: not positive(found)
    if op in ORDERING:
        return _order_test(op, wanted)
    if op == "all_of":
        return lambda found: all(found == each for each in wanted)
    if len(wanted) == 1:
        only = wanted[0]
        return lambda found: found is not None and bool(found == only)
    return lambda found: found is not None and found in wanted


def typed(value: Scalar, kind: Kind, options: Options) -> Any:
    """A rule's value in the unit the profile keeps."""
    if kind is Kind.MONEY:
        return _minor(value, options)
    if kind is Kind.NUMBER:
        return exact(value)
    if kind is Kind.TIME:
        return time_of(value, options.zone)
    return value


def _minor(value: Scalar, options: Options) -> Exact | None:
    number = exact(value)
    return None if number is None else exact_scaled(number, 10 ** exponent(options.currency))


def exact_scaled(number: Exact, factor: int) -> Exact:
    """A number times a factor, whole where it comes out whole."""
    scaled = number * factor
    return int(scaled) if scaled == int(scaled) else scaled


def _order_test(op: Op, wanted: tuple[Any, ...]) -> Test:
    if op == "between":
        low, high = wanted
        return lambda found: found is not None and low <= found <= high
    (bound,) = wanted
    holds = ORDER[op]
    return lambda found: found is not None and holds(found, bound)
