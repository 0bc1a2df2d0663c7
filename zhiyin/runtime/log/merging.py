"""Records of several partitions as one sequence."""

import heapq
from collections.abc import Iterable, Sequence
from operator import attrgetter

from zhiyin.runtime.log.interface import Record


def merged(parts: Iterable[Sequence[Record]]) -> Sequence[Record]:
    """About as they came, and surely in offset order per partition, whatever the clocks said."""
    return list(heapq.merge(*parts, key=attrgetter("timestamp_ms")))
