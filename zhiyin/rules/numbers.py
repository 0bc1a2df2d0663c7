"""Numbers and times as rules compare them: exactly, never as floats."""

import re
from datetime import date, datetime, time, tzinfo
from decimal import Decimal
from typing import Final

from zhiyin.contracts.instants import Instant, instant

Exact = int | Decimal

_NUMBER: Final = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})"
)
# Sums are taken in millionths, in which every amount of money and every measure is whole.
SCALE: Final = 1_000_000
_MOST_NUMBER: Final = 10**18


def exact(value: object) -> Exact | None:
    """The number a value is or spells; None for everything else, truth values included."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return _whole(Decimal(repr(value))) if abs(value) < _MOST_NUMBER else None
    if isinstance(value, Decimal):
        return _whole(value)
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        return _whole(Decimal(value))
    return None


def _whole(number: Decimal) -> Exact:
    """As int where possible: integers compare several times faster."""
    return int(number) if number == number.to_integral_value() else number


def millionths(value: object) -> int | None:
    """A number in millionths, what is finer cut off; None when it is no number."""
    number = exact(value)
    return None if number is None else int(number * SCALE)


def time_of(value: object, zone: tzinfo) -> Instant | None:
    """The instant a text names: RFC 3339 with offset, or a date, which begins at its midnight in
    the platform's time zone."""
    if not isinstance(value, str):
        return None
    try:
        if _DATE.fullmatch(value):
            return instant(datetime.combine(date.fromisoformat(value), time(), zone))
        if _TIME.fullmatch(value):
            return instant(datetime.fromisoformat(value.upper()))
    except (ValueError, OverflowError):
        return None
    return None


def looks_like_time(value: str) -> bool:
    return bool(_DATE.fullmatch(value) or _TIME.fullmatch(value))
