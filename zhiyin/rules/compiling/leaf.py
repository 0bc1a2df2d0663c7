"""What compiling a clause gives."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from zhiyin.contracts.instants import Instant
from zhiyin.rules.person import Person
from zhiyin.rules.verdict import Evaluate

MOST_EVIDENCE = 20


class Finding(NamedTuple):
    """What a clause found, as JSON has it, and the events that show it, newest first."""

    value: Any
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CompiledLeaf:
    """`evaluate` is on the hot path; `find` is for somebody who asks why."""

    evaluate: Evaluate
    find: Callable[[Person, Instant], Finding]


def newest(event_ids: list[str]) -> tuple[str, ...]:
    return tuple([each for each in reversed(event_ids) if each][:MOST_EVIDENCE])
