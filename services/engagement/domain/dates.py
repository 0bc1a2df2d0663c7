"""The days of a person that a campaign waits for, and when the next one comes."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from msgspec import Struct

from services.engagement.domain.festivals import DayOf, lunar_day, lunar_month_and_day
from services.engagement.domain.occurrence import Occurrence, of_date
from zhiyin.contracts.instants import Instant, instant, moment
from zhiyin.rules import Day, Person

_YEARS: Final = range(1900, 2200)  # days that arithmetic cannot lead out of the calendar
DaysOf = Callable[[Person, Instant, int], Iterable[tuple[str, date]]]
"""The days (each with what it is called among others) that a person has about a year."""


@dataclass(frozen=True, slots=True)
class DateStart:
    """`offset` days from the day itself, at the local time `at`; `reads`: the dependency names
    that the day comes from."""

    what: str
    days: DaysOf
    offset: timedelta
    at: time
    reads: frozenset[str]

    def next(self, person: Person, zone: tzinfo, now: Instant) -> "Coming | None":
        """The first time it comes after `now`."""
        year = moment(now).astimezone(zone).year
        coming = (
            Coming(name, day.isoformat(), self._fires(day, zone))
            for name, day in self.days(person, now, year)
        )
        return min((each for each in coming if each.at > now), key=_at, default=None)

    def _fires(self, day: date, zone: tzinfo) -> Instant:
        return instant(datetime.combine(day + self.offset, self.at, zone))


class Coming(Struct, frozen=True):
    """`name` is the same however often the day is worked out, and another each time it comes."""

    name: str
    day: str
    at: Instant


class DateWatch(Struct, frozen=True):
    """Somebody's next day, watched for a campaign."""

    profile_id: str
    campaign: str
    name: str
    day: str
    fire_at: Instant

    @property
    def timer_key(self) -> str:
        return f"date:{self.campaign}:{self.profile_id}:{self.fire_at}"

    def occurrence(self, what: str) -> Occurrence:
        return of_date(self.name, what, self.day, self.fire_at)


def of_festival(name: str, day_of: DayOf) -> DaysOf:
    def days(_: Person, __: Instant, year: int) -> Iterator[tuple[str, date]]:
        for each in _around(year):
            if (day := day_of(each)) is not None:
                yield f"date:{name}:{each}", day

    return days


def of_fact(
    path: str, read: Callable[[Person, Instant], Day | None], *, lunar: bool, once: bool
) -> DaysOf:
    """Named by its year where it comes round: whoever corrects their birthday has no second one."""

    def days(person: Person, now: Instant, year: int) -> Iterator[tuple[str, date]]:
        found = read(person, now)
        if found is None:
            return
        if once:
            if found.year in _YEARS:
                day = found.of(found.year)
                yield f"date:{path}:{day.isoformat()}", day
            return
        for each in _around(year):
            if (day_then := _in(found, each, lunar=lunar)) is not None:
                yield f"date:{path}:{each}", day_then

    return days


def _in(day: Day, year: int, *, lunar: bool) -> date | None:
    if not lunar:
        return day.of(year)
    placed = lunar_month_and_day(day.of(day.year)) if day.year in _YEARS else None
    return None if placed is None else lunar_day(year, *placed)


def _around(year: int) -> range:
    """An offset may lead out of the year, and the day after next into the one after."""
    return range(year - 1, year + 3)


def _at(coming: Coming) -> Instant:
    return coming.at
