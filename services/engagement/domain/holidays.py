"""Days off and days worked by the Chinese calendar of public holidays."""

from datetime import date
from functools import lru_cache
from typing import Final

import chinese_calendar

from services.engagement.domain.festivals import FESTIVALS

_SATURDAY: Final = 5
# Days off by law (全国年节及纪念日放假办法 as of 2025): festival, first day, how many days.
_STATUTORY: Final = (
    ("New Year's Day", "new-year", 0, 1),
    ("Spring Festival", "spring-festival", -1, 4),
    ("Tomb-sweeping Day", "qingming", 0, 1),
    ("Labour Day", "labour-day", 0, 2),
    ("Dragon Boat Festival", "dragon-boat", 0, 1),
    ("Mid-autumn Festival", "mid-autumn", 0, 1),
    ("National Day", "national-day", 0, 3),
)


def day_off(day: date) -> bool:
    """A weekend or public holiday, and not a weekend worked in exchange for one. Of years whose
    exchanged days the State Council has not settled yet, weekends and the days the law names."""
    known = _detail(day)
    if known is None:
        return day.weekday() >= _SATURDAY or _statutory(day) is not None
    return known[0]


def public_holiday(day: date) -> str | None:
    """What is kept on this day off; None on ordinary days, weekends and days worked."""
    known = _detail(day)
    if known is None:
        return _statutory(day)
    return known[1] if known[0] else None


@lru_cache(maxsize=4096)
def _detail(day: date) -> tuple[bool, str | None] | None:
    try:
        is_off, name = chinese_calendar.get_holiday_detail(day)
    except NotImplementedError:
        return None
    return bool(is_off), None if name is None else str(name)


@lru_cache(maxsize=4096)
def _statutory(day: date) -> str | None:
    for name, festival, begins, days in _STATUTORY:
        kept = FESTIVALS[festival](day.year)
        if kept is not None and begins <= (day - kept).days < begins + days:
            return name
    return None
