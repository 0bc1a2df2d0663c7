"""The kept events of one family, packed: a newest event is appended without decoding the rest."""

from bisect import bisect_right
from typing import Final

import msgspec
from msgspec import Raw

from services.profile.domain.person_event import EventOrder
from zhiyin.contracts.profiles import Kept

_kept: Final = msgspec.msgpack.Decoder(Kept)
_elements: Final = msgspec.msgpack.Decoder(list[Raw])
_EMPTY: Final = b"\x90"


def decode_kept(element: bytes | Raw) -> Kept:
    return _kept.decode(element)


def order_of(element: bytes | Raw) -> EventOrder:
    kept = _kept.decode(element)
    return (kept.at, kept.event_id, kept.source)


class History:
    """Oldest first by (at, event_id, source)."""

    __slots__ = ("_as_stored", "_body", "_count", "_elements", "_tail")

    def __init__(self, packed: Raw | None = None) -> None:
        self._as_stored = packed
        view = memoryview(packed if packed is not None else _EMPTY)
        self._count, start = _header_of(view)
        self._body = view[start:]
        self._tail: list[bytes | Raw] = []
        self._elements: list[bytes | Raw] | None = None

    def __len__(self) -> int:
        return self._count

    def append(self, element: bytes) -> None:
        """Add one that is newer than all."""
        self._as_stored = None
        (self._tail if self._elements is None else self._elements).append(element)
        self._count += 1

    def insert(self, element: bytes) -> int:
        """Add one wherever it belongs; how many are newer."""
        self._as_stored = None
        elements = self.elements()
        place = bisect_right(elements, order_of(element), key=order_of)
        elements.insert(place, element)
        self._count += 1
        return self._count - 1 - place

    def excess(self, most: int, most_bytes: int) -> int:
        """How many of the oldest are too many; the newest one never is."""
        size = self._size()
        if self._count <= most and size <= most_bytes:
            return 0
        elements, over = self.elements(), 0
        while over < len(elements) - 1 and (size > most_bytes or len(elements) - over > most):
            size -= len(memoryview(elements[over]))
            over += 1
        return over

    def _size(self) -> int:
        """In bytes, without the header."""
        if self._elements is not None:
            return sum(len(memoryview(element)) for element in self._elements)
        return len(self._body) + sum(len(memoryview(element)) for element in self._tail)

    def take_oldest(self, count: int) -> list[Kept]:
        """Remove and return the first `count`."""
        return [decode_kept(element) for element in self.take_raw(count)]

    def take_raw(self, count: int) -> list[bytes | Raw]:
        """As `take_oldest`, each still packed."""
        if count < 1:
            return []
        self._as_stored = None
        elements = self.elements()
        taken = elements[:count]
        del elements[:count]
        self._count = len(elements)
        return taken

    def elements(self) -> list[bytes | Raw]:
        """All of them, each still packed."""
        if self._elements is None:
            stored: list[bytes | Raw] = []
            if len(self._body):
                header = _header_for(self._count - len(self._tail))
                stored.extend(_elements.decode(header + self._body))
            self._elements = stored + self._tail
        return self._elements

    def packed(self) -> Raw:
        if self._as_stored is not None:
            return self._as_stored
        if self._elements is not None:
            return Raw(_header_for(self._count) + b"".join(self._elements))
        return Raw(b"".join((_header_for(self._count), self._body, *self._tail)))


def _header_of(view: memoryview) -> tuple[int, int]:
    """Length of a MessagePack array, and where its first element starts."""
    first = view[0]
    if first & 0xF0 == 0x90:
        return first & 0x0F, 1
    width = 2 if first == 0xDC else 4
    return int.from_bytes(view[1 : 1 + width]), 1 + width


def _header_for(count: int) -> bytes:
    if count < 16:
        return bytes((0x90 | count,))
    if count < 1 << 16:
        return b"\xdc" + count.to_bytes(2)
    return b"\xdd" + count.to_bytes(4)
