"""Days that come round every year."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from zhiyin.contracts.instants import Duration, Instant, duration, instant, moment
from zhiyin.rules.compiling.facts import known_path
from zhiyin.rules.compiling.leaf import CompiledLeaf, Finding
from zhiyin.rules.compiling.values import changing, steady
from zhiyin.rules.numbers import time_of
from zhiyin.rules.options import Options
from zhiyin.rules.paths import Kind
from zhiyin.rules.person import Person
from zhiyin.rules.tree import Anniversary
from zhiyin.rules.verdict import NO, Verdict

_ONE_DAY: Final = timedelta(days=1)
_LEAP_YEAR: Final = 2000


class Day(NamedTuple):
    """A day of the year; `year` is 0 where none was said."""

    month: int
    day: int
    year: int = 0

    def of(self, year: int) -> date:
        """The day as it comes round in a year: 29 February on the 28th where there is none."""
        leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
        if (self.month, self.day) == (2, 29) and not leap:
            return date(year, 2, 28)
        return date(year, self.month, self.day)


def compile_anniversary(clause: Anniversary, options: Options) -> CompiledLeaf:
    """True from `within` before the day begins until it is over, in the platform's time zone. Who
    was born on 29 February has their day on the 28th in other years."""
    within = duration(clause.within)
    zone = options.zone
    day_of = day_reader(clause.path, options)

    def evaluate(person: Person, now: Instant) -> Verdict:
        day = day_of(person, now)
        return NO if day is None else _verdict(day, within, now, zone)

    def find(person: Person, now: Instant) -> Finding:
        day = day_of(person, now)
        return Finding(None if day is None else _next_day(day, now, zone).isoformat())

    return CompiledLeaf(evaluate, find)


def day_reader(path: str, options: Options) -> Callable[[Person, Instant], Day | None]:
    """The day a fact names, in the platform's time zone; None for somebody without."""
    fact = known_path(path)
    zone = options.zone
    read = steady(fact)
    states = changing(fact, options)

    def day_of(person: Person, now: Instant) -> Day | None:
        value = states(person, now)[0].value if read is None else read(person)
        at = value if fact.kind is Kind.TIME else None
        return _local_day(at, zone) if at is not None else _written_day(value, zone)

    return day_of


def _local_day(at: Instant, zone: tzinfo) -> Day:
    local = moment(at).astimezone(zone)
    return Day(local.month, local.day, local.year)


def _written_day(value: Any, zone: tzinfo) -> Day | None:
    """`1990-05-12`, a time with offset, or a day without its year: `05-12`."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("05-12"):
            born = date.fromisoformat(f"{_LEAP_YEAR}-{value}")
            return Day(born.month, born.day)
        at = time_of(value, zone)
        return None if at is None else _local_day(at, zone)
    except (ValueError, OverflowError):
        return None


def _next_day(day: Day, now: Instant, zone: tzinfo) -> date:
    today = moment(now).astimezone(zone).date()
    this_year = day.of(today.year)
    return this_year if this_year >= today else day.of(today.year + 1)


def _midnight(day: date, zone: tzinfo) -> Instant:
    return instant(datetime.combine(day, time(), zone))


def _verdict(day: Day, within: Duration, now: Instant, zone: tzinfo) -> Verdict:
    coming = _next_day(day, now, zone)
    begins = _midnight(coming, zone) - within
    if now < begins:
        return Verdict(False, begins)
    # With almost a year's notice the next one begins at once; asking again then costs nothing.
    return Verdict(True, _midnight(coming + _ONE_DAY, zone))
