"""When somebody is most likely to look: the hour at which they have been most active."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Final

from zhiyin.contracts.instants import HOUR, Instant, moment

_DAY_HOURS: Final = 24
_WEEK_HOURS: Final = 168
# Of fewer events nothing can be told.
_ENOUGH: Final = 12
# That very hour of the week says more than the same hour of other days.
_SAME_DAY: Final = 3


@dataclass(frozen=True, slots=True)
class BestHour:
    at: Instant
    why: str


def best_hour(
    hours: Sequence[int], now: Instant, zone: tzinfo, fits: Callable[[Instant], bool]
) -> BestHour | None:
    """The best of the next 24 hours that `fits` (is not quiet). None: that is now, or nothing is
    known of their habits. `hours`: events per hour of the week, Monday 0:00 in `zone` first."""
    if len(hours) != _WEEK_HOURS or sum(hours) < _ENOUGH:
        return None
    local = moment(now).astimezone(zone)
    begun = now - (local.minute * 60 + local.second) * (HOUR // 3600) - local.microsecond
    first = local.weekday() * _DAY_HOURS + local.hour
    ahead = range(1, _DAY_HOURS)
    starts = {0: now, **{n: begun + n * HOUR for n in ahead}}
    candidates = [n for n, at in starts.items() if fits(at)]
    best = max(candidates, key=lambda n: (_weight(hours, first + n), -n), default=0)
    if best == 0:
        return None
    hour = (first + best) % _DAY_HOURS
    usual = sum(hours[hour::_DAY_HOURS])
    return BestHour(starts[best], f"{usual} of {sum(hours)} events between {hour}:00 and {hour}:59")


def _weight(hours: Sequence[int], place: int) -> int:
    same_hour = sum(hours[place % _DAY_HOURS :: _DAY_HOURS])
    return same_hour + (_SAME_DAY - 1) * hours[place % _WEEK_HOURS]
