"""Which segments somebody cannot be in, found by what they have rather than segment by segment."""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from operator import or_
from typing import Any, Final, NamedTuple

from services.segmentation.domain.mask import Mask
from zhiyin.contracts.instants import Instant
from zhiyin.rules import Options, Person
from zhiyin.rules.marks import Family, Mark, marks_reader
from zhiyin.rules.needs import LEAST, MOST, Needs, number_reader

Met = Callable[[Person, Instant], Mask]
# What has to be worked out is asked about last, when there may be nobody left to ask for.
_WORKED_OUT: Final = {"events": 2, "fact": 1}


class Guard(NamedTuple):
    """`guarded`: the segments with a need of one family; `met`: those of them whose need a person
    meets."""

    guarded: Mask
    met: Met


class Guards(NamedTuple):
    """Of a segment set."""

    guards: tuple[Guard, ...] = ()

    def shut(self, person: Person, now: Instant, asked: Mask) -> Mask:
        """Those of the segments asked about that need something the person lacks: they do not
        match, and time alone will not make them."""
        shut = 0
        for guarded, met in self.guards:
            left = guarded & asked & ~shut
            if left:
                shut |= left & ~met(person, now)
        return shut


def build_guards(needs: Sequence[Needs], options: Options) -> Guards:
    """`needs[i]`: those of the segment at place i."""
    families: defaultdict[Family, list[tuple[int, Any]]] = defaultdict(list)
    for place, each in enumerate(needs):
        for family, asked in each.items():
            families[family].append((place, asked))
    ordered = sorted(families, key=lambda family: (_cost(family), family))
    return Guards(tuple(_guard(family, families[family], options) for family in ordered))


def _cost(family: Family) -> int:
    return _WORKED_OUT.get(family[0], 0) if len(family) > 1 else 0


def _guard(family: Family, asked: Sequence[tuple[int, Any]], options: Options) -> Guard:
    guarded = 0
    for place, _ in asked:
        guarded |= 1 << place
    if family[0] in (LEAST, MOST):
        return Guard(guarded, _bounded(family, asked))
    return Guard(guarded, _marked(family, asked, options))


def _marked(family: Family, asked: Iterable[tuple[int, frozenset[Mark]]], options: Options) -> Met:
    masks: defaultdict[Mark, Mask] = defaultdict(int)
    for place, marks in asked:
        for mark in marks:
            masks[mark] |= 1 << place
    by_mark: Mapping[Mark, Mask] = dict(masks)
    read = marks_reader(family, options)

    def met(person: Person, now: Instant) -> Mask:
        found = 0
        for mark in read(person, now):
            found |= by_mark.get(mark, 0)
        return found

    return met


def _bounded(family: Family, asked: Iterable[tuple[int, Any]]) -> Met:
    ascending = sorted(asked, key=lambda each: each[1])
    bounds = [bound for _, bound in ascending]
    bits = [1 << place for place, _ in ascending]
    read = number_reader(family)
    below = [0, *accumulate(bits, or_)]
    above = [*accumulate(reversed(bits), or_, initial=0)][::-1]

    def at_least(person: Person, now: Instant) -> Mask:
        number = read(person)
        return 0 if number is None else below[bisect_right(bounds, number)]

    def at_most(person: Person, now: Instant) -> Mask:
        number = read(person)
        return 0 if number is None else above[bisect_left(bounds, number)]

    return at_least if family[0] == LEAST else at_most
