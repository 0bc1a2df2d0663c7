"""The op of a comparison and the value it needs."""

import math
from datetime import UTC
from typing import Any, Final, cast, get_args

from zhiyin.rules.numbers import exact, looks_like_time, time_of
from zhiyin.rules.paths import AGES, ORDERING, Kind
from zhiyin.rules.reading.reader import MOST_VALUES, Reader, child, quoted, shown
from zhiyin.rules.tree import Op, RuleValue, Scalar

OPS: Final[frozenset[str]] = frozenset(get_args(Op))
_LISTS: Final = frozenset({"in", "not_in", "any_of", "all_of", "none_of"})
_MOST_NUMBER: Final = 10**15


def read_op(reader: Reader, raw: object, pointer: str, allowed: frozenset[Op], subject: str) -> Op:
    if not isinstance(raw, str) or raw not in OPS:
        known = ", ".join(sorted(allowed))
        reader.refuse(pointer, "unknown_op", f"{shown(raw)} is no op; {subject} has {known}")
    op = cast(Op, raw)
    if op not in allowed:
        known = ", ".join(sorted(allowed))
        reader.refuse(pointer, "op_not_allowed", f"{subject} has no {op!r}, only {known}")
    return op


def read_test(
    reader: Reader, op: Op, raw: object, pointer: str, kind: Kind
) -> tuple[Op, RuleValue]:
    """The value of any op but a bare `exists` or `missing`, checked against the kind of what it is
    compared with. `exists: false` is `missing`."""
    if op in ("exists", "missing"):
        if not isinstance(raw, bool):
            reader.refuse(pointer, "wrong_type", f"{op} takes true or false, not {shown(raw)}")
        return (op if raw else "missing" if op == "exists" else "exists"), None
    return op, _value(reader, op, raw, pointer, kind)


def _value(reader: Reader, op: Op, raw: object, pointer: str, kind: Kind) -> RuleValue:
    if op in AGES:
        return reader.duration(raw, pointer)
    if op in _LISTS:
        return _many(reader, raw, pointer, kind)
    if op == "between":
        return _between(reader, raw, pointer, kind)
    if op in ORDERING:
        return _ordered(reader, raw, pointer, kind)
    if op == "starts_with" or (op == "contains" and kind is not Kind.ANY):
        return reader.text(raw, pointer, "the value")
    return _scalar(reader, raw, pointer, kind)


def one_of(reader: Reader, value: RuleValue, pointer: str, choices: tuple[str, ...]) -> None:
    """Refuse a value that the fact can never have, such as a misspelt class."""
    values = value if isinstance(value, tuple) else (value,)
    for each in values:
        if isinstance(each, str) and each not in choices:
            known = ", ".join(choices)
            reader.refuse(pointer, "unknown_value", f"{quoted(each)} is none of {known}")


def _many(reader: Reader, raw: object, pointer: str, kind: Kind) -> tuple[Scalar, ...]:
    values = _items(reader, raw, pointer)
    if not 1 <= len(values) <= MOST_VALUES:
        reader.refuse(pointer, "bad_list", f"a list here has 1 to {MOST_VALUES} values")
    return tuple(
        _scalar(reader, each, child(pointer, index), kind) for index, each in enumerate(values)
    )


def _between(reader: Reader, raw: object, pointer: str, kind: Kind) -> tuple[Scalar, ...]:
    values = _items(reader, raw, pointer)
    if len(values) != 2:
        reader.refuse(pointer, "bad_list", "between takes [least, greatest]")
    low, high = (
        _ordered(reader, each, child(pointer, index), kind) for index, each in enumerate(values)
    )
    if _order(low) is None or _order(high) is None or _is_time(low) != _is_time(high):
        reader.refuse(pointer, "wrong_type", "between takes two numbers or two times")
    if cast(int, _order(low)) > cast(int, _order(high)):
        reader.refuse(pointer, "bad_list", "between takes the least value first")
    return low, high


def _items(reader: Reader, raw: object, pointer: str) -> list[Any]:
    if not isinstance(raw, (list, tuple)):
        reader.refuse(pointer, "wrong_type", f"this op takes a list, not {shown(raw)}")
    return list(raw)


def _is_time(value: Scalar) -> bool:
    return isinstance(value, str) and looks_like_time(value)


def _order(value: Scalar) -> Any:
    return time_of(value, UTC) if _is_time(value) else exact(value)


def _ordered(reader: Reader, raw: object, pointer: str, kind: Kind) -> Scalar:
    if kind is not Kind.ANY:
        return _scalar(reader, raw, pointer, kind)
    if isinstance(raw, str) and looks_like_time(raw):
        return _time(reader, raw, pointer)
    return _number(reader, raw, pointer, spelt=True)


def _scalar(reader: Reader, raw: object, pointer: str, kind: Kind) -> Scalar:
    match kind:
        case Kind.NUMBER:
            return _number(reader, raw, pointer, spelt=False)
        case Kind.MONEY:
            return _number(reader, raw, pointer, spelt=True)
        case Kind.TIME:
            return _time(reader, raw, pointer)
        case Kind.FLAG:
            if not isinstance(raw, bool):
                reader.refuse(pointer, "wrong_type", f"must be true or false, not {shown(raw)}")
            return raw
        case Kind.TEXT | Kind.LIST:
            return reader.text(raw, pointer, "the value")
        case Kind.ANY:
            return _anything(reader, raw, pointer)


def _anything(reader: Reader, raw: object, pointer: str) -> Scalar:
    if isinstance(raw, bool):
        return raw
    if isinstance(raw, (int, float)):
        return _number(reader, raw, pointer, spelt=False)
    return reader.text(raw, pointer, "the value")


def _number(reader: Reader, raw: object, pointer: str, *, spelt: bool) -> int | float | str:
    """A finite number; where money is meant, decimal text as well."""
    allowed = (int, float, str) if spelt else (int, float)
    if isinstance(raw, bool) or not isinstance(raw, allowed):
        what = "a number or decimal text" if spelt else "a number"
        reader.refuse(pointer, "wrong_type", f"must be {what}, not {shown(raw)}")
    if isinstance(raw, str):
        raw = reader.text(raw, pointer, "the value")
    elif isinstance(raw, float) and not math.isfinite(raw):
        reader.refuse(pointer, "bad_number", "must be a finite number")
    elif not -_MOST_NUMBER <= raw <= _MOST_NUMBER:
        reader.refuse(pointer, "bad_number", "must be within a quadrillion of zero")
    if exact(raw) is None:
        reader.refuse(pointer, "wrong_type", f"{shown(raw)} is not a decimal number")
    return raw


def _time(reader: Reader, raw: object, pointer: str) -> str:
    text = reader.text(raw, pointer, "a time")
    if time_of(text, UTC) is None:
        message = f"{shown(text)} is not a date or a time with offset (RFC 3339)"
        reader.refuse(pointer, "bad_time", message)
    return text
