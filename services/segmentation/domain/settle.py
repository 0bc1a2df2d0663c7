"""Settling: evaluate what may have changed, then whatever reads what did change."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from services.segmentation.domain.mask import Mask, mask_of
from services.segmentation.domain.segment_set import Segment, SegmentSet
from services.segmentation.domain.state import OUTSIDE, Standing, State, state_of
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.rules import Person

Reason = Literal["event", "time", "backfill", "rule", "merge", "erasure"]
Before = Callable[[], Snapshot | None]


class Flip(Struct, frozen=True):
    """A person entered or left a segment. `at`: when it became true; `asked`: by a backfill that
    is to set off campaigns."""

    segment: str
    rule_version: int
    entered: bool
    at: Instant
    reason: Reason
    asked: bool = False


class Occasion(Struct, frozen=True):
    """Why segments are evaluated, and the instant a change is dated to."""

    reason: Reason
    at: Instant


class Settling:
    """One person's standings while they change. Rules over other segments see `members` as they
    are by then, so a segment settles on what those before it have just become."""

    def __init__(self, state: State, rules: SegmentSet) -> None:
        self.rules = rules
        self.revision = state.revision
        self.standings = dict(state.standings)
        self.members = state.members
        self.flips: list[Flip] = []

    @property
    def state(self) -> State:
        return state_of(self.revision, self.standings)

    def person(self, snapshot: Snapshot) -> Person:
        return Person(snapshot, self.members)

    def settle_where_open(
        self,
        person: Person,
        asked: Mask,
        now: Instant,
        occasion: Occasion,
        before: Before | None = None,
    ) -> None:
        """As `settle`, without those that the person neither stands in nor can be in."""
        due = ~self.rules.guards.shut(person, now, asked)
        for key in self.standings:
            due |= self.rules.bit[key]
        self._settle(person, due & asked, now, occasion, before)

    def settle(self, snapshot: Snapshot, due: Mask, now: Instant, occasion: Occasion) -> None:
        """Evaluate the segments that are due at `now`, then their readers where they changed."""
        self._settle(self.person(snapshot), due, now, occasion, None)

    def _settle(
        self, person: Person, due: Mask, now: Instant, occasion: Occasion, before: Before | None
    ) -> None:
        """`before` gives the copy before this occasion: what time had already made true by then,
        but nobody had said yet, is told as time's doing."""
        ordered, standings = self.rules.ordered, self.standings
        while due:
            lowest = due & -due
            due ^= lowest
            place = lowest.bit_length() - 1
            segment = ordered[place]
            matches, next_flip = segment.compiled.evaluate(person, now)
            old = standings.get(segment.key, OUTSIDE)
            was = old.since is not None
            if matches != was:
                told = self._overdue(segment, old, matches, now, before) or occasion
                self._flip(segment.key, segment.version, matches, told)
                # They stand behind this place.
                due |= mask_of(self.rules.readers[place])
            elif next_flip == old.next_flip and (old is OUTSIDE or old.version == segment.version):
                continue
            self._stand(segment, matches, next_flip)

    def leave(self, key: str, occasion: Occasion) -> None:
        """Leave a segment whatever its rule says, and forget about it."""
        standing = self.standings[key]
        if standing.since is not None:
            self._flip(key, standing.version, False, occasion)
        del self.standings[key]

    def _flip(self, key: str, version: int, entered: bool, told: Occasion) -> None:
        self.flips.append(Flip(key, version, entered, told.at, told.reason))
        if entered:
            self.members.add(key)
            self.standings[key] = Standing(told.at, version)
        else:
            self.members.discard(key)

    def _stand(self, segment: Segment, matches: bool, next_flip: Instant | None) -> None:
        old = self.standings.get(segment.key)
        since = old.since if matches and old is not None else None
        if matches or next_flip is not None:
            self.standings[segment.key] = Standing(since, segment.version, next_flip)
        elif old is not None:
            del self.standings[segment.key]

    def _overdue(
        self,
        segment: Segment,
        old: Standing,
        matches: bool,
        now: Instant,
        before: Before | None,
    ) -> Occasion | None:
        """The flip that time had brought before this occasion, if that is what we see."""
        if before is None or old.next_flip is None or old.next_flip > now:
            return None
        copy = before()
        if copy is None:
            return None
        person = self.person(copy)
        at: Instant | None = old.next_flip
        # What is known may be sooner than what is to come: then the next instant is asked about.
        while at is not None and at <= now:
            answer, later = segment.compiled.evaluate(person, at)
            if answer == matches:
                return Occasion("time", at)
            at = later
        return None
