"""Ids of server-sent events: how far a listener is in each partition of the log.

Every gateway reads the same log, so a listener goes on at any of them, and after a restart.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from zhiyin.runtime.log import Partition

_MOST_CHARACTERS: Final = 8192
_CHECK_BYTES: Final = 4
_MOST: Final = 2**62
_decoder: Final = msgspec.msgpack.Decoder(list[list[int]])


def place_of(topics: Sequence[str], positions: Mapping[Partition, int]) -> str:
    """The next position of each partition of `topics`, as text fit for an id."""
    numbers = range(len(positions) // len(topics))
    packed = msgspec.msgpack.encode(
        [[positions[Partition(topic, number)] for number in numbers] for topic in topics]
    )
    return base64.urlsafe_b64encode(packed + _check(topics, packed)).rstrip(b"=").decode()


def positions_of(topics: Sequence[str], place: str) -> dict[Partition, int] | None:
    """What an id says; None if it is not one of this stream's."""
    if not place.isascii() or len(place) > _MOST_CHARACTERS:
        return None
    try:
        data = base64.b64decode(place + "=" * (-len(place) % 4), b"-_", validate=True)
        packed, check = data[:-_CHECK_BYTES], data[-_CHECK_BYTES:]
        if check != _check(topics, packed):
            return None
        offsets = _decoder.decode(packed)
    except (binascii.Error, ValueError):
        return None
    return {
        Partition(topic, number): min(offset, _MOST)
        for topic, row in zip(topics, offsets, strict=True)
        for number, offset in enumerate(row)
    }


def _check(topics: Sequence[str], packed: bytes) -> bytes:
    """Of another stream's id too it is said that it is none."""
    return zlib.crc32(packed + ",".join(topics).encode()).to_bytes(_CHECK_BYTES, "big")
