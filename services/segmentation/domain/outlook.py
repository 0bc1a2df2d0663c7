"""What becomes of a person's memberships if no event arrives: of a segment and of all it reads."""

from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from services.segmentation.domain.segment_set import Segment, SegmentSet
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.rules import Explanation, Person

# Birthdays come round for ever; nobody asks about the fortieth.
_MOST_FLIPS: Final = 80
_MOST_STEPS: Final = 2_000


class Outlook(Struct, frozen=True):
    """One segment's answer for a person, clause by clause."""

    segment: Segment
    told: Explanation


def outlook(snapshot: Snapshot, rules: SegmentSet, key: str, now: Instant) -> list[Outlook]:
    """The segment last, before it those it reads, each after those it reads itself. Everything is
    worked out from the snapshot alone, so timers that are yet to fire make no difference. Raises
    KeyError when there is no such segment."""
    inside: set[str] = set()
    flips: dict[str, Sequence[Instant]] = {}
    found: list[Outlook] = []
    for place in _reached(rules, rules.position[key]):
        segment = rules.ordered[place]
        person = Person(snapshot, frozenset(inside), flips)
        found.append(Outlook(segment, segment.compiled.explain(person, now)))
        if found[-1].told.matches:
            inside.add(segment.key)
        flips[segment.key] = _flips(segment, person, now)
    return found


def _reached(rules: SegmentSet, place: int) -> list[int]:
    """A segment and all it reads, at whatever remove, in settling order."""
    reached = {place}
    for below in reversed(range(place)):
        if reached.intersection(rules.readers[below]):
            reached.add(below)
    return sorted(reached)


def _flips(segment: Segment, person: Person, now: Instant) -> list[Instant]:
    """When time alone will turn the answer, as far ahead as anybody asks."""
    flips: list[Instant] = []
    matches, at = segment.compiled.evaluate(person, now)
    for _ in range(_MOST_STEPS):
        if at is None or len(flips) == _MOST_FLIPS:
            break
        later = segment.compiled.evaluate(person, at)
        if later.matches != matches:
            matches = later.matches
            flips.append(at)
        at = later.next_flip
    return flips
