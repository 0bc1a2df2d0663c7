"""Events and orders that are only counted, as points in time."""

from collections.abc import Iterator

from zhiyin.contracts.buying import Settled
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.money import Minor
from zhiyin.contracts.profiles import DayCounts

_BLOCK_DAYS = 32


def day_ends(counts: DayCounts | dict[str, int]) -> Iterator[tuple[Instant, int]]:
    """(end of the day or of the 32 days, or the instant where it is known; number of events) where
    there are any."""
    if isinstance(counts, dict):
        yield from ((_end(int(day)), count) for day, count in counts.items())
        return
    for ago, count in enumerate(counts.days):
        if count:
            yield _end(counts.newest - ago), count
    first = counts.newest // _BLOCK_DAYS - 2
    for ago, count in enumerate(counts.blocks):
        if count:
            yield _end((first - ago + 1) * _BLOCK_DAYS - 1), count
    yield from ((at, 1) for at in counts.recent)


def settled_sales(settled: Settled | None) -> Iterator[tuple[Instant, Minor]]:
    """(at, net) of each standing settled order of the last 400 days, oldest first. Of those known
    by day only, all stand at the day's end (or at the oldest known to the instant, if that is
    earlier), the last one with the day's whole sum."""
    if settled is None:
        return
    latest = settled.recent[0][0] if settled.recent else None
    for day, orders, net in settled.days:
        at = _end(day) if latest is None else min(_end(day), latest)
        yield from ((at, 0) for _ in range(orders - 1))
        yield at, net
    yield from settled.recent


def _end(day: int) -> Instant:
    return (day + 1) * DAY - 1
