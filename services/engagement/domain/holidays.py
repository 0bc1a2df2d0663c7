"""Days off and days worked by the Chinese calendar of public holidays."""

from datetime import date
from functools import lru_cache
from typing import Final

import chinese_calendar

_SATURDAY: Final = 5


def day_off(day: date) -> bool:
    """A weekend or public holiday, and not a weekend worked in exchange for one. Of years the
    State Council has not settled yet, weekends alone."""
    known = _detail(day)
    return day.weekday() >= _SATURDAY if known is None else known[0]


def public_holiday(day: date) -> str | None:
    """What is kept on this day off; None on ordinary days, weekends and days worked."""
    known = _detail(day)
    return known[1] if known is not None and known[0] else None


@lru_cache(maxsize=4096)
def _detail(day: date) -> tuple[bool, str | None] | None:
    try:
        is_off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    return bool(is_off), None if name is None else str(name)
