"""Which segments a change moves in time: those that it turns, or that will turn sooner than was
known. Whoever is only put off need not be asked again until the old instant has come."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from operator import or_
from typing import Any

from services.segmentation.domain.mask import Mask, mask_of
from zhiyin.contracts.instants import Duration, Instant
from zhiyin.rules import Options, Person
from zhiyin.rules.comparing import value_test
from zhiyin.rules.compiling.facts import known_path
from zhiyin.rules.compiling.named import Read
from zhiyin.rules.compiling.sources import Source
from zhiyin.rules.compiling.values import State, changing
from zhiyin.rules.inputs import Input
from zhiyin.rules.loose import Test
from zhiyin.rules.tree import FactIs, Recency

Moved = Callable[[Person, Person, Instant], Mask]
"""Which segments have an input of one group that has moved between two copies of a person."""
Asked = tuple[int, Input]
"""A segment's place, and one of its inputs."""


def by_age(read: Read, asked: Sequence[Asked]) -> Moved:
    """Of a time held against durations."""
    moved_from = _ages(asked)

    def moved(before: Person, after: Person, now: Instant) -> Mask:
        return moved_from(read(before), read(after), now)

    return moved


def by_last(asked: Sequence[Asked], options: Options) -> Moved:
    """Of the newest of some events, all of one selector."""
    leaf = asked[0][1].leaf
    assert isinstance(leaf, Recency)
    source = Source(leaf.selector, options)
    everybody = mask_of(place for place, _ in asked)
    moved_from = _ages(asked)

    def moved(before: Person, after: Person, now: Instant) -> Mask:
        was, is_ = source.read(before).ats, source.read(after).ats
        if was and is_ and max(was[-1], is_[-1]) > now:
            # What is ahead of the clock is not the newest yet.
            return 0 if was == is_ else everybody
        return moved_from(was[-1] if was else None, is_[-1] if is_ else None, now)

    return moved


def _ages(asked: Sequence[Asked]) -> Callable[[Instant | None, Instant | None, Instant], Mask]:
    """A time that goes from young to younger still keeps its answers, and turns them later."""
    ascending = sorted((min(one.bounds), 1 << place) for place, one in asked)
    bounds: list[Duration] = [int(bound) for bound, _ in ascending]
    # Of so many of the shortest bounds, all of them last.
    short: list[Mask] = [0, *accumulate((bit for _, bit in ascending), or_)]

    def moved(was: Instant | None, is_: Instant | None, now: Instant) -> Mask:
        if was == is_:
            return 0
        if was is None or is_ is None or is_ < was:
            return short[-1]
        return short[bisect_left(bounds, now - was)]

    return moved


def by_course(path: str, asked: Sequence[Asked], options: Options) -> Moved:
    """Of a value that time changes in a known way."""
    fact = known_path(path)
    states = changing(fact, options)
    masks: defaultdict[FactIs, Mask] = defaultdict(int)
    for place, one in asked:
        assert isinstance(one.leaf, FactIs)
        masks[one.leaf] |= 1 << place
    tests: list[tuple[Test, Mask]] = [
        (value_test(leaf.op, leaf.value, fact.kind, options), mask) for leaf, mask in masks.items()
    ]

    def moved(before: Person, after: Person, now: Instant) -> Mask:
        was = states(before, now)
        sooner = _sooner(_firsts(was), _firsts(states(after, now)))
        found = 0
        if sooner:
            for test, mask in tests:
                held = test(was[0].value)
                if any(test(value) is not held for value in sooner):
                    found |= mask
        return found

    return moved


def _firsts(course: Sequence[State]) -> dict[Any, Instant]:
    """When each value comes up for the first time."""
    firsts: dict[Any, Instant] = {}
    for since, value in course:
        firsts.setdefault(value, since)
    return firsts


def _sooner(was: Mapping[Any, Instant], is_: Mapping[Any, Instant]) -> list[Any]:
    """The values that come up sooner than they would have."""
    return [value for value, since in is_.items() if value not in was or since < was[value]]
