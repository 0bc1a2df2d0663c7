"""Clauses made of clauses."""

from collections.abc import Sequence
from typing import Final

from zhiyin.contracts.instants import Instant
from zhiyin.rules.person import Person
from zhiyin.rules.verdict import NO, YES, Evaluate, Verdict, verdict

_BEFORE: Final[Instant] = -(2**63)
_NEVER: Final[Instant] = 2**63


def combine(parts: Sequence[Evaluate], *, decisive: bool) -> Evaluate:
    """`any` is decided by one clause that is true, `all` by one that is false.

    A decided answer stands until every deciding clause has flipped: the latest of their flips, or
    never if one of them never flips. An undecided one stands until the first clause flips.
    """
    if len(parts) == 1:
        return parts[0]
    decided = YES if decisive else NO

    def evaluate(person: Person, now: Instant) -> Verdict:
        latest, soonest = _BEFORE, _NEVER
        for part in parts:
            matches, flip = part(person, now)
            if matches is decisive:
                if flip is None:
                    return decided
                latest = max(latest, flip)
            elif flip is not None and flip < soonest:
                soonest = flip
        if latest > _BEFORE:
            return Verdict(decisive, latest)
        return verdict(not decisive, soonest if soonest < _NEVER else None)

    return evaluate


def negate(part: Evaluate) -> Evaluate:
    def evaluate(person: Person, now: Instant) -> Verdict:
        matches, flip = part(person, now)
        return verdict(not matches, flip)

    return evaluate
