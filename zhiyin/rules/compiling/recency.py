"""How long ago something last or first happened."""

from bisect import bisect_right
from collections.abc import Iterable

from zhiyin.contracts.instants import Duration, Instant, duration, rfc3339
from zhiyin.rules.compiling.leaf import CompiledLeaf, Finding
from zhiyin.rules.compiling.sources import Source
from zhiyin.rules.options import Options
from zhiyin.rules.person import Person
from zhiyin.rules.tree import Recency
from zhiyin.rules.verdict import NO, YES, Verdict, verdict_over


class Ages:
    """The ages at which a bound on either side holds: over `older`, at most `newer`."""

    __slots__ = ("_newer", "_older", "_only", "steps")

    def __init__(self, older_than: str | None, newer_than: str | None) -> None:
        self._older: Duration | None = None if older_than is None else duration(older_than)
        self._newer: Duration | None = None if newer_than is None else duration(newer_than)
        given = (bound for bound in (self._older, self._newer) if bound is not None)
        self.steps: list[Duration] = sorted(bound + 1 for bound in given)
        self._only = self.steps[0] if len(self.steps) == 1 else None

    def hold(self, age: Duration) -> bool:
        return (self._older is None or age > self._older) and (
            self._newer is None or age <= self._newer
        )

    def verdict(self, at: Instant, now: Instant) -> Verdict:
        """For one thing that has happened and will not happen again."""
        age = now - at
        if self._only is not None:
            # One bound turns the answer once.
            if age < self._only:
                return Verdict(self._older is None, at + self._only)
            return NO if self._older is None else YES
        matches = self.hold(age)
        for step in self.steps:
            if step > age and self.hold(step) != matches:
                return Verdict(matches, at + step)
        return YES if matches else NO


class _Recent:
    """One compiled clause."""

    def __init__(self, clause: Recency, options: Options) -> None:
        self._read = Source(clause.selector, options).read
        self._ages = Ages(clause.older_than, clause.newer_than)
        self._last = clause.which == "last"

    def _which(self, ats: list[Instant], now: Instant) -> int | None:
        """Which event it is that counts at `now`."""
        if not ats or ats[0] > now:
            return None
        return bisect_right(ats, now) - 1 if self._last else 0

    def _truth(self, person: Person, now: Instant) -> bool:
        ats = self._read(person).ats
        index = self._which(ats, now)
        return index is not None and self._ages.hold(now - ats[index])

    def evaluate(self, person: Person, now: Instant) -> Verdict:
        ats = self._read(person).ats
        if not ats:
            return NO
        if ats[-1] <= now:
            return self._ages.verdict(ats[-1] if self._last else ats[0], now)
        return verdict_over(self._truth, person, now, _changes(ats, self._ages, now))

    def find(self, person: Person, now: Instant) -> Finding:
        series = self._read(person)
        index = self._which(series.ats, now)
        if index is None:
            return Finding(None)
        event_id = series.ids[index]
        return Finding(rfc3339(series.ats[index]), (event_id,) if event_id else ())


def compile_recency(clause: Recency, options: Options) -> CompiledLeaf:
    recent = _Recent(clause, options)
    return CompiledLeaf(recent.evaluate, recent.find)


def _changes(ats: list[Instant], ages: Ages, now: Instant) -> Iterable[Instant]:
    crossed = {at + step for at in ats for step in ages.steps}
    return sorted(at for at in crossed.union(ats) if at > now)
