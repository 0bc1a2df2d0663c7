"""Receipts: where in the log the events of one request ended, as url-safe text."""

import base64
import binascii
import zlib
from collections.abc import Iterable
from typing import Final, NamedTuple

import msgspec

from zhiyin.contracts.topics import EVENTS

_MOST_CHARACTERS: Final = 8192
_CHECK_BYTES: Final = 4


class Mark(NamedTuple):
    """`offset` is the one after the last event: a consumer that has reached it has them all."""

    topic: str
    number: int
    offset: int


_decoder: Final = msgspec.msgpack.Decoder(list[tuple[int, int, int]])


def receipt_of(marks: Iterable[Mark]) -> str:
    """One receipt; of several marks on a partition the furthest counts."""
    furthest: dict[tuple[int, int], int] = {}
    for mark in marks:
        place = (EVENTS.index(mark.topic), mark.number)
        furthest[place] = max(mark.offset, furthest.get(place, 0))
    packed = msgspec.msgpack.encode([(*place, end) for place, end in sorted(furthest.items())])
    return base64.urlsafe_b64encode(packed + _check(packed)).rstrip(b"=").decode()


def marks_of(receipt: str) -> tuple[Mark, ...] | None:
    """What a receipt says, or None if it is not one of ours (or was cut short)."""
    if not receipt.isascii() or len(receipt) > _MOST_CHARACTERS:
        return None
    try:
        data = base64.b64decode(receipt + "=" * (-len(receipt) % 4), b"-_", validate=True)
        packed, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
        if check != _check(packed):
            return None
        found = _decoder.decode(packed)
        return tuple(Mark(EVENTS[topic], number, end) for topic, number, end in found if end >= 0)
    except (binascii.Error, ValueError, IndexError):
        return None


def _check(packed: bytes) -> bytes:
    return zlib.crc32(packed).to_bytes(_CHECK_BYTES, "big")
