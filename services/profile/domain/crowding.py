"""Of which categories events are counted by name: of as many as fit a number of bytes.

Which ones must be a function of the set of names. "The newest" is none, as a name that was dropped
and comes again would start anew; so it is those that come first in the order of a hash, where a
name that has once been crowded out stays out.
"""

from collections.abc import Iterable
from typing import Final
from zlib import crc32

# What the counts of one name take, about.
_COUNTS: Final = 24

Name = tuple[str, str]
"""(event type, category)"""


def crowded_out(names: Iterable[Name], most_bytes: int) -> list[Name]:
    """Those that do not fit."""
    order, size = list(names), 0
    if sum(map(_size, order)) <= most_bytes:
        return []
    order.sort(key=_place)
    for number, name in enumerate(order):
        size += _size(name)
        if size > most_bytes:
            return order[number:]
    return []


def _size(name: Name) -> int:
    return len(name[1].encode()) + _COUNTS


def _place(name: Name) -> tuple[int, Name]:
    return crc32("\0".join(name).encode()), name
