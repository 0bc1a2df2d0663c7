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


class _Day(NamedTuple):
    month: int
    day: int


def compile_anniversary(clause: Anniversary, options: Options) -> CompiledLeaf:
    """True from `within` before the day begins until it is over, in the platform's time zone. Who
    was born on 29 February has their day on the 28th in other years."""
    within = duration(clause.within)
    zone = options.zone
    day_of = _day_reader(clause.path, options)

    def evaluate(person: Person, now: Instant) -> Verdict:
        day = day_of(person, now)
        return NO if day is None else _verdict(day, within, now, zone)

    def find(person: Person, now: Instant) -> Finding:
        day = day_of(person, now)
        return Finding(None if day is None else _next_day(day, now, zone).isoformat())

    return CompiledLeaf(evaluate, find)


def _day_reader(path: str, options: Options) -> Callable[[Person, Instant], _Day | None]:
    fact = known_path(path)
    zone = options.zone
    read = steady(fact)
    states = changing(fact, options)

    def day_of(person: Person, now: Instant) -> _Day | None:
        value = states(person, now)[0].value if read is None else read(person)
        at = value if fact.kind is Kind.TIME else None
        return _local_day(at, zone) if at is not None else _written_day(value, zone)

    return day_of


def _local_day(at: Instant, zone: tzinfo) -> _Day:
    local = moment(at).astimezone(zone)
    return _Day(local.month, local.day)


def _written_day(value: Any, zone: tzinfo) -> _Day | None:
    """`1990-05-12`, a time with offset, or a day without its year: `05-12`."""
    if not isinstance(value, str):
        return None
    try:
        if len(value) == len("05-12"):
            born = date.fromisoformat(f"{_LEAP_YEAR}-{value}")
            return _Day(born.month, born.day)
        at = time_of(value, zone)
        return None if at is None else _local_day(at, zone)
    except (ValueError, OverflowError):
        return None


def _in_year(day: _Day, year: int) -> date:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return date(year, 2, 28) if day == (2, 29) and not leap else date(year, day.month, day.day)


def _next_day(day: _Day, now: Instant, zone: tzinfo) -> date:
    today = moment(now).astimezone(zone).date()
    this_year = _in_year(day, today.year)
    return this_year if this_year >= today else _in_year(day, today.year + 1)


def _midnight(day: date, zone: tzinfo) -> Instant:
    return instant(datetime.combine(day, time(), zone))


def _verdict(day: _Day, within: Duration, now: Instant, zone: tzinfo) -> Verdict:
    coming = _next_day(day, now, zone)
    begins = _midnight(coming, zone) - within
    if now < begins:
        return Verdict(False, begins)
    # With almost a year's notice the next one begins at once; asking again then costs nothing.
    return Verdict(True, _midnight(coming + _ONE_DAY, zone))
