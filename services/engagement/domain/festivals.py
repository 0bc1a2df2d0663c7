"""Days everybody keeps, by the solar and by the Chinese lunar calendar."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Final

from borax.calendars.lunardate import LunarDate

DayOf = Callable[[int], date | None]
"""The day in a year; None where the calendar is not known (before 1900, after 2099)."""

_LONGEST_MONTH: Final = 30


def lunar_day(year: int, month: int, day: int) -> date | None:
    """The day of the lunar year that begins in `year`; in a month that is a day short, the last."""
    try:
        found: date = LunarDate(year, month, day).to_solar_date()
        return found
    except ValueError:
        return lunar_day(year, month, day - 1) if day == _LONGEST_MONTH else None


def lunar_month_and_day(day: date) -> tuple[int, int] | None:
    """Where a solar day stands in its lunar year; a leap month counts as the one before it."""
    try:
        found = LunarDate.from_solar(day)
    except ValueError:
        return None
    return found.month, found.day


def _solar(month: int, day: int) -> DayOf:
    return lambda year: date(year, month, day)


def _lunar(month: int, day: int) -> DayOf:
    return lambda year: lunar_day(year, month, day)


def _last_of_lunar_year(year: int) -> date | None:
    """New Year's Eve: the day before the spring festival, within the solar year."""
    spring = lunar_day(year, 1, 1)
    return None if spring is None else spring - timedelta(days=1)


def _end_of_lunar_year(month: int, day: int) -> DayOf:
    """A day of the last month, which comes early in the solar year after."""
    return lambda year: lunar_day(year - 1, month, day)


def _sunday(month: int, which: int) -> DayOf:
    def day(year: int) -> date:
        first = date(year, month, 1)
        return first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (which - 1))

    return day


def _solar_term(month: int, offset: float) -> DayOf:
    """The usual formula for this century: [Y × 0.2422 + C] − [Y ÷ 4], Y the year within it."""

    def day(year: int) -> date | None:
        if not 2001 <= year <= 2099:
            return None
        within = year % 100
        return date(year, month, int(within * 0.2422 + offset) - within // 4)

    return day


FESTIVALS: Final[Mapping[str, DayOf]] = {
    "new-year": _solar(1, 1),
    "laba": _end_of_lunar_year(12, 8),
    "minor-new-year": _end_of_lunar_year(12, 23),
    "new-years-eve": _last_of_lunar_year,
    "spring-festival": _lunar(1, 1),
    "lantern": _lunar(1, 15),
    "valentines": _solar(2, 14),
    "womens-day": _solar(3, 8),
    "qingming": _solar_term(4, 4.81),
    "labour-day": _solar(5, 1),
    "mothers-day": _sunday(5, 2),
    "dragon-boat": _lunar(5, 5),
    "childrens-day": _solar(6, 1),
    "618": _solar(6, 18),
    "fathers-day": _sunday(6, 3),
    "qixi": _lunar(7, 7),
    "zhongyuan": _lunar(7, 15),
    "mid-autumn": _lunar(8, 15),
    "teachers-day": _solar(9, 10),
    "double-ninth": _lunar(9, 9),
    "national-day": _solar(10, 1),
    "double-11": _solar(11, 11),
    "double-12": _solar(12, 12),
    "winter-solstice": _solar_term(12, 21.94),
    "christmas": _solar(12, 25),
}
