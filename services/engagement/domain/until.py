"""Waits that end by the person's clock."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from services.engagement.domain.holidays import day_off
from zhiyin.contracts.instants import Duration, Instant, instant, moment

_WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
# The longest time without a working day is a spring festival; without a day off, a fortnight.
_SEARCHED: Final = 40


@dataclass(frozen=True, slots=True)
class Until:
    """At `clock` on one of the days `on` (none: any), `after` from now at the earliest."""

    clock: time
    on: frozenset[str]
    after: Duration

    def next(self, now: Instant, zone: tzinfo) -> Instant:
        earliest = now + self.after
        first = moment(earliest).astimezone(zone).date()
        for number in range(_SEARCHED):
            day = first + timedelta(days=number)
            at = instant(datetime.combine(day, self.clock, zone))
            if at >= earliest and self._fits(day):
                return at
        raise AssertionError(f"no day of {sorted(self.on)} in {_SEARCHED}")

    def _fits(self, day: date) -> bool:
        if not self.on or _WEEKDAYS[day.weekday()] in self.on:
            return True
        return ("holiday" if day_off(day) else "workday") in self.on
