"""The order in which segments settle: each one after the segments it reads."""

from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

SEGMENT_PREFIX = "segments."


class SegmentCycle(ValueError):
    """Segments that read each other in a circle; `path` starts and ends with the same key."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(" → ".join(path))
        self.path = path


def segments_read(reads: frozenset[str]) -> frozenset[str]:
    """The keys of the segments among a rule's dependency names."""
    return frozenset(
        name.removeprefix(SEGMENT_PREFIX) for name in reads if name.startswith(SEGMENT_PREFIX)
    )


def settle_order(reads: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Keys so that each comes after the segments it reads, equal sets in equal order.

    `reads`: segment key → dependency names of its rule. Raises SegmentCycle.
    """
    graph = {key: sorted(segments_read(reads[key]) & reads.keys()) for key in sorted(reads)}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as cycle:
        # graphlib lists what is read before its reader; the user's arrow goes the other way.
        raise SegmentCycle(tuple(reversed(cycle.args[1]))) from cycle
