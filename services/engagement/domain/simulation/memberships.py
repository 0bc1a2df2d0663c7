"""One person's memberships over their life: on each change, and when time alone moves them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.rules import Compiled, Options, Person, RuleError, compile_rule, parse, segments_read


class Unreplayable(Exception):
    """What is to be tried rests on something that history does not tell."""


@dataclass(frozen=True, slots=True)
class SegmentRules:
    """Rules by key, each after those it reads."""

    rules: Mapping[str, Compiled]


def segment_rules(
    known: Mapping[str, Any], wanted: Iterable[str], options: Options
) -> SegmentRules:
    """The wanted segments and those they rest on, out of all known trees. Raises Unreplayable."""
    found: dict[str, Compiled] = {}
    reading: dict[str, frozenset[str]] = {}
    open_ = list(wanted)
    while open_:
        key = open_.pop()
        if key in found or key not in known:  # nobody is in a segment that is not there
            continue
        try:
            found[key] = compile_rule(parse(known[key], quintiles=False), options)
        except RuleError as error:
            message = f"segment {key} cannot be replayed: {error}"
            raise Unreplayable(message) from error
        reading[key] = segments_read(found[key].rule)
        open_ += reading[key]
    try:
        order = [key for key in TopologicalSorter(reading).static_order() if key in found]
    except CycleError as error:
        raise Unreplayable("segments read each other in a circle") from error
    return SegmentRules({key: found[key] for key in order})


@dataclass(frozen=True, slots=True)
class Crossed:
    segment: str
    entered: bool
    at: Instant


@dataclass(slots=True)
class Memberships:
    """Where a person stands; `flips`: when time alone may change that, by segment."""

    segments: SegmentRules
    inside: set[str] = field(default_factory=set)
    flips: dict[str, Instant] = field(default_factory=dict)

    @property
    def next_flip(self) -> Instant | None:
        return min(self.flips.values(), default=None)

    def look(self, snapshot: Snapshot, now: Instant) -> list[Crossed]:
        """Evaluate everything at `now`; what was entered and left, in order of the rules."""
        crossed: list[Crossed] = []
        person = Person(snapshot, self.inside)
        for key, compiled in self.segments.rules.items():
            verdict = compiled.evaluate(person, now)
            if verdict.next_flip is None:
                self.flips.pop(key, None)
            else:
                self.flips[key] = verdict.next_flip
            if verdict.matches != (key in self.inside):
                self.inside ^= {key}
                person = Person(snapshot, self.inside)
                crossed.append(Crossed(key, verdict.matches, now))
        return crossed
