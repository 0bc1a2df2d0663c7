"""Events per hour of the week, packed: 168 small counts, of which an event touches one."""

from typing import Final

import msgspec
from msgspec import Raw

HOURS_A_WEEK: Final = 168
NO_HOURS: Final = Raw(b"\x90")
# MessagePack: an array of 168; a count below 128 is one byte, its own value.
_HEADER: Final = b"\xdc\x00\xa8"
_SMALL: Final = 127
_decoder: Final = msgspec.msgpack.Decoder(list[int])


def count_hour(hours: Raw, hour: int) -> Raw:
    """One more event in an hour."""
    packed = bytearray(hours) if len(memoryview(hours)) > 1 else _empty()
    place = len(_HEADER) + hour
    if len(packed) == len(_HEADER) + HOURS_A_WEEK and packed[place] < _SMALL:
        packed[place] += 1
        return Raw(bytes(packed))
    counts = _decoder.decode(packed)
    counts[hour] += 1
    return Raw(msgspec.msgpack.encode(counts))


def _empty() -> bytearray:
    return bytearray(_HEADER) + bytearray(HOURS_A_WEEK)
