"""Events that are only counted: the newest purchases of a category to the instant, others by day
for the last one to two months, by 32 days before that."""

from collections.abc import Sequence
from typing import Final

from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.profiles import EXACT_WINDOW, DayCounts

BLOCK: Final = 32
_MOST_BLOCKS: Final = EXACT_WINDOW // DAY // BLOCK


def with_event(known: DayCounts | dict[str, int] | None, at: Instant, exact: int) -> DayCounts:
    """One more event, of which the newest `exact` are known to the instant."""
    counts = _by_day(known) if isinstance(known, dict) else known
    recent = sorted((at, *(counts.recent if counts else ())))
    older = len(recent) - exact
    if older > 0:
        counts = with_count(counts, recent[0] // DAY)
    days = counts or DayCounts(0, ())
    return DayCounts(days.newest, days.days, days.blocks, tuple(recent[max(older, 0) :]))


def with_count(known: DayCounts | dict[str, int] | None, day: int, count: int = 1) -> DayCounts:
    """Some more events on a day. Days over 400 days before the newest are dropped."""
    match known:
        case None | DayCounts(days=()):
            return DayCounts(day, (count,))
        case dict():
            return with_count(_by_day(known), day, count)
        case DayCounts():
            return _counted(known if day <= known.newest else _moved(known, day), day, count)


def together(
    one: DayCounts | dict[str, int] | None, other: DayCounts | dict[str, int]
) -> DayCounts:
    """As if all had been counted together from the first."""
    more = _by_day(other) if isinstance(other, dict) else other
    total = _by_day(one) if isinstance(one, dict) else one
    if more is None or total is None:
        return total or more or DayCounts(0, ())
    for ago, count in enumerate(more.days):
        if count:
            total = with_count(total, more.newest - ago, count)
    first = more.newest // BLOCK - 2
    for ago, count in enumerate(more.blocks):
        if count:
            total = with_count(total, (first - ago) * BLOCK, count)
    return total


def _by_day(days: dict[str, int]) -> DayCounts | None:
    found: DayCounts | None = None
    for day, count in sorted(days.items()):
        found = with_count(found, int(day), count)
    return found


def _counted(known: DayCounts, day: int, count: int) -> DayCounts:
    ago = known.newest - day
    if day // BLOCK >= known.newest // BLOCK - 1:
        return DayCounts(known.newest, _added(known.days, ago, count), known.blocks)
    block = known.newest // BLOCK - 2 - day // BLOCK
    if block >= _MOST_BLOCKS:
        return known
    return DayCounts(known.newest, known.days, _added(known.blocks, block, count))


def _moved(known: DayCounts, newest: int) -> DayCounts:
    """The same counts, seen from a newer day."""
    later = newest - known.newest
    first_exact = (newest // BLOCK - 1) * BLOCK
    exact = max(min(known.newest - first_exact + 1, len(known.days)), 0)
    days = (0,) * min(later, newest - first_exact + 1) + known.days[:exact]
    shift = newest // BLOCK - known.newest // BLOCK
    blocks = [0] * shift + list(known.blocks)
    blocks = blocks[:_MOST_BLOCKS]
    for ago, count in enumerate(known.days[exact:], exact):
        block = newest // BLOCK - 2 - (known.newest - ago) // BLOCK
        if count and 0 <= block < _MOST_BLOCKS:
            blocks = list(_added(tuple(blocks), block, count))
    return DayCounts(newest, _stripped(days), _stripped(blocks))


def _added(counts: Sequence[int], place: int, count: int) -> tuple[int, ...]:
    if place < len(counts):
        return (*counts[:place], counts[place] + count, *counts[place + 1 :])
    return (*counts, *(0,) * (place - len(counts)), count)


def _stripped(counts: Sequence[int]) -> tuple[int, ...]:
    """Without the zeros at the end, so that equal counts are equal."""
    end = len(counts)
    while end and not counts[end - 1]:
        end -= 1
    return tuple(counts[:end])
