"""Which order and ticket ids the newest events of a family named: tells whether an id is new.

Four bytes of hash per event, oldest first. A hash that is there may be another id's, which costs
reading the history once and changes nothing. So many more than are asked about are kept that it
can be told whether an event that comes late moves another one out of reach.
"""

from collections.abc import Iterator
from typing import Final
from zlib import crc32

_WIDTH: Final = 4
_MORE: Final = 64


def mark_of(name: str) -> bytes:
    return crc32(name.encode()).to_bytes(_WIDTH)


def remembers(remembered: bytes, name: str, most: int) -> bool:
    """Whether one of the newest `most` events may have named it."""
    mark = mark_of(name)
    if mark not in remembered:
        return False
    return mark in _marks(remembered[-most * _WIDTH :])


def with_event(remembered: bytes, name: str, newer: int, most: int) -> bytes:
    """One event more, `newer` events from the end."""
    place = len(remembered) - newer * _WIDTH
    longer = remembered[:place] + mark_of(name) + remembered[place:]
    return longer[-(most + _MORE) * _WIDTH :]


def out_of_reach(remembered: bytes, newer: int, most: int) -> bool:
    """Whether one event more, `newer` from the end, may put `most` events between two of one id."""
    count = len(remembered) // _WIDTH
    if newer == 0 or count <= most:
        return False
    if newer > _MORE:
        return True
    marks = list(_marks(remembered))
    return any(
        marks[-1 - ago] == marks[-1 - ago - most] for ago in range(newer) if ago + most < count
    )


def is_full(remembered: bytes, most: int) -> bool:
    """Whether there have been more events than are asked about."""
    return len(remembered) > most * _WIDTH


def _marks(remembered: bytes) -> Iterator[bytes]:
    return (remembered[at : at + _WIDTH] for at in range(0, len(remembered), _WIDTH))
