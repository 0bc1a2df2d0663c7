"""Which segments a change touches: those with a clause whose answer it may have moved."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.json import encode

from services.segmentation.domain.index import Index, build_index
from services.segmentation.domain.mask import Mask, mask_of, places
from services.segmentation.domain.putting_off import Asked, Moved, by_age, by_course, by_last
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.profiles import DayCounts, Kept
from zhiyin.rules import Options, Person
from zhiyin.rules.compiling.facts import known_path
from zhiyin.rules.compiling.named import Read
from zhiyin.rules.compiling.values import steady
from zhiyin.rules.inputs import Input, same
from zhiyin.rules.marks import Mark, marks_in, marks_of_value
from zhiyin.rules.tree import Recency


class Touching(NamedTuple):
    """`coarse`: segments by the dependencies they cannot be narrowed down from; `narrow[i]`: those
    that can, under the dependency that is place i of `dependencies`."""

    coarse: Index
    dependencies: Index
    narrow: tuple[tuple[Moved, ...], ...]

    def touched(self, changed: Iterable[str], before: Person, after: Person, now: Instant) -> Mask:
        names = tuple(changed)
        touched = self.coarse.reading(names)
        for place in places(self.dependencies.reading(names)):
            for moved in self.narrow[place]:
                touched |= moved(before, after, now)
        return touched


def build_touching(inputs: Sequence[frozenset[Input]], options: Options) -> Touching:
    """`inputs[i]`: those of the segment at place i."""
    coarse = [frozenset(e.dependency for e in each if e.sort == "all") for each in inputs]
    groups: defaultdict[str, defaultdict[tuple[str, ...], list[Asked]]]
    groups = defaultdict(lambda: defaultdict(list))
    for place, each in enumerate(inputs):
        for one in each:
            if one.sort != "all":
                key = (one.sort, one.name, one.property, _events(one))
                groups[one.dependency][key].append((place, one))
    narrow = tuple(
        tuple(_moved(key, asked, options) for key, asked in sorted(group.items()))
        for group in groups.values()
    )
    names = build_index([frozenset({dependency}) for dependency in groups])
    return Touching(build_index(coarse), names, narrow)


def _events(one: Input) -> str:
    """Tells selectors apart."""
    return encode(one.leaf.selector).decode() if isinstance(one.leaf, Recency) else ""


def _moved(key: tuple[str, ...], asked: Sequence[Asked], options: Options) -> Moved:
    sort, name, property_, _ = key
    match sort:
        case "event":
            return _by_events(name, property_, asked)
        case "last":
            return by_last(asked, options)
        case "course":
            return by_course(name, asked, options)
        case _:
            return _by_steady(sort, name, asked)


def _by_steady(sort: str, name: str, asked: Sequence[Asked]) -> Moved:
    read = steady(known_path(name))
    assert read is not None
    match sort:
        case "age":
            return by_age(read, asked)
        case "number":
            return _by_number(read, asked)
        case "mark":
            return _by_mark(read, asked)
        case _:
            return _by_value(read, asked)


def _by_value(read: Read, asked: Sequence[Asked]) -> Moved:
    everybody = mask_of(place for place, _ in asked)
    return lambda before, after, now: 0 if same(read(before), read(after)) else everybody


def _masks(asked: Iterable[Asked]) -> dict[Mark, Mask]:
    masks: defaultdict[Mark, Mask] = defaultdict(int)
    for place, one in asked:
        for mark in one.marks:
            masks[mark] |= 1 << place
    return dict(masks)


def _by_mark(read: Read, asked: Sequence[Asked]) -> Moved:
    masks = _masks(asked)

    def moved(before: Person, after: Person, now: Instant) -> Mask:
        was, now = read(before), read(after)
        if same(was, now):
            return 0
        found = 0
        for mark in (*marks_of_value(was), *marks_of_value(now)):
            found |= masks.get(mark, 0)
        return found

    return moved


def _by_number(read: Read, asked: Sequence[Asked]) -> Moved:
    ascending = sorted(((bound, 1 << place) for place, one in asked for bound in one.bounds))
    bounds = [bound for bound, _ in ascending]
    bits = [bit for _, bit in ascending]
    everybody = mask_of(place for place, _ in asked)

    def moved(before: Person, after: Person, now: Instant) -> Mask:
        was, now = read(before), read(after)
        if was == now:
            return 0
        if was is None or now is None:
            return everybody
        low, high = (was, now) if was < now else (now, was)
        found = 0
        for bit in bits[bisect_left(bounds, low) : bisect_right(bounds, high)]:
            found |= bit
        return found

    return moved


def _by_events(event_type: str, name: str, asked: Sequence[Asked]) -> Moved:
    masks = _masks(asked)

    def moved(before: Person, after: Person, now: Instant) -> Mask:
        found = 0
        for person, other in ((before, after), (after, before)):
            for mark in _only_of(person, other, event_type, name):
                found |= masks.get(mark, 0)
        if name == "category":
            for category in _recounted(before, after, event_type):
                found |= masks.get(category, 0)
        return found

    return moved


def _only_of(person: Person, other: Person, event_type: str, name: str) -> Iterable[Mark]:
    """The marks of the kept events that the other copy does not keep, or not as they are here."""
    theirs = other.once(("by id", event_type), lambda each: _by_id(each.kept(event_type)))
    for event in person.kept(event_type):
        if theirs.get((event.source, event.event_id)) != event:
            yield from marks_in(event, name)


def _by_id(kept: Iterable[Kept]) -> dict[tuple[str, str], Kept]:
    return {(event.source, event.event_id): event for event in kept}


def _recounted(before: Person, after: Person, event_type: str) -> Iterable[Mark]:
    """Categories of which the events that are only counted have changed, or stand elsewhere: they
    never stand behind the oldest event kept."""
    was, now = before.facts.days.get(event_type, {}), after.facts.days.get(event_type, {})
    edges = [kept[0].at if kept else None for kept in _families(before, after, event_type)]
    for category in was.keys() | now.keys():
        counts = now.get(category)
        if was.get(category) != counts or (edges[0] != edges[1] and _reaches(counts, edges)):
            yield from marks_of_value(category)


def _families(before: Person, after: Person, event_type: str) -> list[Sequence[Kept]]:
    family = event_type.partition(".")[0]
    return [person.facts.kept.get(family, ()) for person in (before, after)]


def _reaches(counts: DayCounts | dict[str, int] | None, edges: Iterable[int | None]) -> bool:
    if not isinstance(counts, DayCounts):
        return counts is not None
    last = (counts.newest + 1) * DAY
    return any(edge is None or last > edge for edge in edges)
