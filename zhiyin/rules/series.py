"""A person's events of one selector in the shape in which windows over them are cheap."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from heapq import merge
from itertools import accumulate
from typing import Final, NamedTuple

from zhiyin.contracts.instants import Duration, Instant
from zhiyin.contracts.profiles import Seen
from zhiyin.facts.counted import day_ends, settled_sales
from zhiyin.rules.person import Person
from zhiyin.rules.where import Meets, has_items

COMPLETED: Final = "purchase.completed"


class Series(NamedTuple):
    """Oldest first: when, how much, running sums (one longer), event ids ("" for events that are
    only counted). `rising`: nothing in it is below zero."""

    ats: list[Instant]
    values: Sequence[int]
    sums: Sequence[int]
    ids: list[str]
    rising: bool = True

    def window(self, within: Duration | None, now: Instant) -> slice:
        """The events that have happened by `now` and are at most that old."""
        low = 0 if within is None else bisect_left(self.ats, now - within)
        return slice(low, bisect_right(self.ats, now))


_Point = tuple[Instant, int, str]


def series_of(points: Iterable[_Point]) -> Series:
    listed = list(points)
    values = [value for _, value, _ in listed]
    return Series(
        [at for at, _, _ in listed],
        values,
        [0, *accumulate(values)],
        [event_id for _, _, event_id in listed],
        min(values, default=0) >= 0,
    )


def changes(series: Series, within: Duration | None, now: Instant) -> Iterable[Instant]:
    """When what is in the window changes: events still to come enter, others leave."""
    ats = series.ats
    coming = ats[bisect_right(ats, now) :]
    if within is None:
        return coming
    leaving = [at + within + 1 for at in ats[bisect_left(ats, now - within) :]]
    return merge(coming, leaving) if coming else leaving


def all_events(person: Person, event_type: str) -> Series:
    """Every event of a type a person ever had, as exactly as it is kept."""
    if event_type == COMPLETED:
        points = [(at, 1, "") for at, _ in settled_orders(person)]
    else:
        points = _counted_points(person, event_type, lambda properties: True)
    points += [(event.at, 1, event.event_id) for event in person.kept(event_type)]
    seen = person.facts.seen.get(event_type)
    return series_of(points if seen is None else _anchored(points, seen))


def settled_orders(person: Person) -> list[tuple[Instant, int]]:
    """(at, net) of standing orders whose events are no longer kept, oldest first."""
    kept = person.facts.kept.get(COMPLETED.partition(".")[0])
    settled = settled_sales(person.facts.settled)
    return [each for each in settled if not kept or each[0] < kept[0].at]


def events_where(
    person: Person, event_type: str, meets: Meets, places: Sequence[int], *, by_day: bool
) -> Series:
    """The events that meet conditions, of the kept ones those at `places` at most. `by_day`: the
    conditions look at nothing but the category, which is known of events that are only counted,
    too."""
    points = _counted_points(person, event_type, meets) if by_day else []
    kept, properties = person.kept(event_type), person.properties(event_type)
    met = (kept[place] for place in places if meets(properties[place]))
    points += [(event.at, 1, event.event_id) for event in met]
    return series_of(points)


def _counted_points(person: Person, event_type: str, meets: Meets) -> list[_Point]:
    """Events that are only counted stand at the end of their day, or of their 32 days, or, where
    that would be later, at the oldest event kept whole: they are all older than it."""
    days = person.facts.days.get(event_type)
    if not days:
        return []
    kept = person.facts.kept.get(event_type.partition(".")[0])
    latest = kept[0].at if kept else None
    # A purchase is counted once as such (""), and once in each category that was in it.
    bare = has_items(event_type) and meets({})
    points: list[_Point] = []
    for category, counts in days.items():
        if has_items(event_type) and bare is not (category == ""):
            continue
        if meets({"category": category} if category else {}):
            ends = day_ends(counts)
            points += [(at if latest is None else min(at, latest), n, "") for at, n in ends]
    return sorted(points)


def _anchored(points: list[_Point], seen: Seen) -> list[_Point]:
    """Number, first and last event are known exactly, however long ago they were."""
    forgotten = seen.count - sum(count for _, count, _ in points)
    if forgotten > 0:
        points.insert(0, (seen.first_at, forgotten, ""))
    if not points:
        return points
    points = [(_between(at, seen) if not known else at, n, known) for at, n, known in points]
    at, count, event_id = points[0]
    if not event_id:
        points[0] = (seen.first_at, count, "")
    at, count, event_id = points[-1]
    if not event_id:
        newest = (seen.last_at, 1, "")
        points[-1:] = [(at, count - 1, ""), newest] if count > 1 else [newest]
    return points


def _between(at: Instant, seen: Seen) -> Instant:
    return min(max(at, seen.first_at), seen.last_at)
