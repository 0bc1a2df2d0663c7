"""What evaluating a rule says."""

from collections.abc import Callable, Iterable
from typing import Final, NamedTuple

from zhiyin.contracts.instants import Instant
from zhiyin.rules.person import Person


class Verdict(NamedTuple):
    """`next_flip`: the earliest instant at which the answer may change if no event arrives; never
    later than when it does, None if never."""

    matches: bool
    next_flip: Instant | None


YES: Final = Verdict(True, None)
NO: Final = Verdict(False, None)

Evaluate = Callable[[Person, Instant], Verdict]
Truth = Callable[[Person, Instant], bool]


def verdict(matches: bool, flip: Instant | None) -> Verdict:
    if flip is None:
        return YES if matches else NO
    return Verdict(matches, flip)


def verdict_over(truth: Truth, person: Person, now: Instant, changes: Iterable[Instant]) -> Verdict:
    """The verdict of something that can change only at `changes` (ascending, after `now`)."""
    matches = truth(person, now)
    for change in changes:
        if truth(person, change) != matches:
            return Verdict(matches, change)
    return YES if matches else NO
