"""Whether an event's properties meet a selector's conditions."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

from zhiyin.rules.loose import NEGATIONS, Test, loose_test, many
from zhiyin.rules.numbers import exact
from zhiyin.rules.options import Options
from zhiyin.rules.tree import Condition

Properties = Mapping[str, Any]
Meets = Callable[[Properties], bool]

_MONEY: Final = frozenset({"total", "amount", "unit_price", "list_price", "discount"})
_ABSENT: Final = object()


def has_items(event_type: str) -> bool:
    """Whether a condition on such an event is also met by one of its items."""
    return event_type.startswith("purchase.")


def compile_where(conditions: Sequence[Condition], event_type: str, options: Options) -> Meets:
    """One test of an event's properties for all conditions."""
    items = has_items(event_type)
    tests = [_condition(each, options, items=items) for each in conditions]
    if not tests:
        return lambda properties: True
    if len(tests) == 1:
        return tests[0]
    return lambda properties: all(test(properties) for test in tests)


def items_of(properties: Properties) -> list[Properties]:
    items = properties.get("items")
    return [each for each in items if isinstance(each, dict)] if isinstance(items, list) else []


def found_at(properties: Properties, name: str) -> Iterator[Any]:
    """The values under a property's name, or under a path (`items.sku`) into nested ones."""
    value = properties.get(name, _ABSENT)
    if value is not _ABSENT:
        yield value
        return
    head, dot, rest = name.partition(".")
    inner = properties.get(head) if dot else None
    for each in inner if isinstance(inner, list) else (inner,):
        if isinstance(each, dict):
            yield from found_at(each, rest)


def _value_test(condition: Condition, options: Options) -> tuple[Test, bool]:
    """The positive test of one value, and whether the condition is its negation."""
    op, value = condition.op, condition.value
    if condition.property.rpartition(".")[2] in _MONEY:
        # Amounts come as text or as numbers; "259" and "259.00" are one amount.
        amounts = tuple(_amount(each) for each in many(value))
        value = amounts if isinstance(value, tuple) else amounts[0] if amounts else None
    negated = op in NEGATIONS
    return loose_test(NEGATIONS.get(op, op), value, options), negated


def condition_meets(condition: Condition, options: Options) -> Meets:
    """The test of one condition on a mapping itself, not on its items."""
    return _condition(condition, options, items=False)


def _amount(value: Any) -> Any:
    number = exact(value)
    return value if number is None else number


def _condition(condition: Condition, options: Options, *, items: bool) -> Meets:
    test, negated = _value_test(condition, options)
    found = _found_plainly if "." not in condition.property else _found_below
    passes = found(condition.property, test, items=items)
    return (lambda properties: not passes(properties)) if negated else passes


def _found_plainly(name: str, test: Test, *, items: bool) -> Meets:
    """The commonest kind of condition: on a property, not on a path. None passes no test."""

    def passes(properties: Properties) -> bool:
        value = properties.get(name)
        if value is not None and test(value):
            return True
        if items:
            for item in items_of(properties):
                value = item.get(name)
                if value is not None and test(value):
                    return True
        return False

    return passes


def _found_below(name: str, test: Test, *, items: bool) -> Meets:
    def passes(properties: Properties) -> bool:
        within = (properties, *items_of(properties)) if items else (properties,)
        return any(test(value) for each in within for value in found_at(each, name))

    return passes
