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


class Hours:
    """Mutable within one fold."""

    __slots__ = ("_packed",)

    def __init__(self, packed: Raw) -> None:
        self._packed = bytearray(packed) if len(memoryview(packed)) > 1 else _empty()

    def count(self, hour: int) -> None:
        """One more event in an hour."""
        place = len(_HEADER) + hour
        if len(self._packed) == len(_HEADER) + HOURS_A_WEEK and self._packed[place] < _SMALL:
            self._packed[place] += 1
            return
        counts = _decoder.decode(self._packed)
        counts[hour] += 1
        self._packed = bytearray(msgspec.msgpack.encode(counts))

    def packed(self) -> Raw:
        return Raw(bytes(self._packed))


def _empty() -> bytearray:
    return bytearray(_HEADER) + bytearray(HOURS_A_WEEK)
