"""The segments in force at one revision, compiled, ordered and indexed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.segmentation.domain.glance import Look, look_of, looks_with_readers
from services.segmentation.domain.guards import Guards, build_guards
from services.segmentation.domain.index import Index, build_index
from services.segmentation.domain.mask import Mask
from services.segmentation.domain.order import segments_read, settle_order
from services.segmentation.domain.state import State
from services.segmentation.domain.touching import Touching, build_touching
from zhiyin.contracts.instants import Instant
from zhiyin.rules import Compiled, Options, compile_rule, parse, reads
from zhiyin.rules.inputs import Input, inputs
from zhiyin.rules.needs import Needs, needs
from zhiyin.rules.options import DEFAULT
from zhiyin.rules.paths import QUINTILES


@dataclass(frozen=True, slots=True)
class Definition:
    """A segment as it is stored. `revision`: the revision of the set at which this version of
    the rule came in; `rule`: its tree, already checked; `asked`: its backfill is to set off
    campaigns."""

    key: str
    version: int
    revision: int
    rule: Any
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Segment:
    """A segment ready to be evaluated."""

    key: str
    version: int
    revision: int
    reads: frozenset[str]
    inputs: frozenset[Input]
    needs: Needs
    compiled: Compiled
    asked: bool = False


@dataclass(frozen=True, slots=True)
class SegmentSet:
    """Segments in settling order.

    - `position`, `bit`: each one's place, as number and as mask
    - `readers[i]`: positions of the segments that read segment i, all greater than i
    - `index`: who reads what; `touching`: whom a change may have moved; `guards`: who cannot be in
    - `looks[i]`: what segment i and its readers look at
    """

    revision: int = 0
    ordered: tuple[Segment, ...] = ()
    position: Mapping[str, int] = field(default_factory=dict)
    bit: Mapping[str, Mask] = field(default_factory=dict)
    readers: tuple[tuple[int, ...], ...] = ()
    index: Index = field(default_factory=lambda: build_index(()))
    touching: Touching = field(default_factory=lambda: build_touching((), DEFAULT))
    guards: Guards = field(default_factory=Guards)
    looks: tuple[Look, ...] = ()

    @property
    def everything(self) -> Mask:
        return (1 << len(self.ordered)) - 1

    def newer_than(self, revision: int) -> list[int]:
        """Positions of the segments whose rule came in after that revision."""
        return [place for place, one in enumerate(self.ordered) if one.revision > revision]

    def look_at(self, state: State, now: Instant) -> Look:
        """What of a person there is to look at if only time and rules have moved on."""
        look = 0
        for key, standing in state.standings.items():
            if standing.next_flip is not None and standing.next_flip <= now:
                look |= self.looks[self.position[key]] if key in self.position else 0
        if state.revision < self.revision:
            for place in self.newer_than(state.revision):
                look |= self.looks[place]
        return look


def _compiled(definition: Definition, options: Options, known: SegmentSet) -> Segment:
    place = known.position.get(definition.key)
    # The revision too: new cut points make a rule anew that reads them.
    if place is not None and known.ordered[place].revision == definition.revision:
        return known.ordered[place]
    rule = parse(definition.rule)
    names = reads(rule)
    return Segment(
        definition.key,
        definition.version,
        definition.revision,
        names | {"orders"} if QUINTILES in names else names,
        inputs(rule, options),
        needs(rule, options),
        compile_rule(rule, options),
        definition.asked,
    )


def build_set(
    revision: int, definitions: Iterable[Definition], options: Options, known: SegmentSet
) -> SegmentSet:
    """Compile what `known` (an older set) does not hold yet. Raises RuleError for a tree that is
    no rule and SegmentCycle; neither gets past the API."""
    segments = {one.key: _compiled(one, options, known) for one in definitions}
    order = settle_order({key: one.reads for key, one in segments.items()})
    position = {key: place for place, key in enumerate(order)}
    ordered = tuple(segments[key] for key in order)
    readers: list[list[int]] = [[] for _ in ordered]
    for place, one in enumerate(ordered):
        for key in segments_read(one.reads) & position.keys():
            readers[position[key]].append(place)
    return SegmentSet(
        revision,
        ordered,
        position,
        {key: 1 << place for key, place in position.items()},
        tuple(tuple(places) for places in readers),
        build_index([one.reads for one in ordered]),
        build_touching([one.inputs for one in ordered], options),
        build_guards([one.needs for one in ordered], options),
        looks_with_readers([look_of(one.reads) for one in ordered], readers),
    )
