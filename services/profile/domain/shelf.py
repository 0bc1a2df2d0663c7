"""Totals by name, of which only what is touched is decoded, and what they were before the orders
that may still change."""

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

import msgspec
from msgspec import Raw

T = TypeVar("T")
NOTHING: Final = Raw(b"\xc0")
_encode: Final = msgspec.msgpack.Encoder().encode  # of structs without maps: nothing to sort


class Kind(Generic[T]):
    """`most`: how many names are remembered at once; when there are more, `least` tells which to
    forget. Both are decided after each order, so that orders in the same order forget alike."""

    def __init__(
        self, decode: Callable[[Raw], T], most: int, least: Callable[[Mapping[str, T]], list[str]]
    ) -> None:
        self.decode = decode
        self.most = most
        self.least = least


class Shelf(Generic[T]):
    """Mutable within one fold.

    `below` is what differs before the open orders: of a name they touch what it was (NOTHING if it
    was not there), of a name they made forgotten what was known. None while no order is settled.
    """

    __slots__ = ("_kind", "_open", "below", "packed")

    def __init__(
        self, kind: Kind[T], packed: Mapping[str, Raw], below: Mapping[str, Raw] | None
    ) -> None:
        self._kind = kind
        self._open: dict[str, T] = {}
        self.packed: dict[str, Raw] = dict(packed)
        self.below: dict[str, Raw] | None = None if below is None else dict(below)

    def get(self, name: str) -> T | None:
        if (known := self._open.get(name)) is not None:
            return known
        packed = self.packed.get(name)
        return None if packed is None else self._kind.decode(packed)

    def put(self, name: str, value: T) -> None:
        """What a name is after an open order."""
        if self.below is not None and name not in self.below:
            self.below[name] = self.packed.get(name, NOTHING)
        self.packed.setdefault(name, NOTHING)
        self._open[name] = value

    def bound(self) -> None:
        """Forget what is too much, after an open order."""
        if len(self.packed) <= self._kind.most:
            return
        known = {name: self._known(name) for name in self.packed}
        for name in self._kind.least(known):
            if self.below is not None:
                self._drop_above(name)
            del self.packed[name]
            self._open.pop(name, None)

    def begin_below(self) -> None:
        """Before the first settled order there was nothing."""
        self.below = dict.fromkeys(self.packed, NOTHING)

    def before(self, name: str) -> T | None:
        """What a name was before the open orders, one of which touches it."""
        packed = (self.below or {}).get(name, NOTHING)
        return None if packed == NOTHING else self._kind.decode(packed)

    def settle(self, name: str, value: T) -> None:
        """What a name is once the oldest open order is settled."""
        below = self.below if self.below is not None else {}
        packed = Raw(_encode(value))
        if name in self.packed and self._packed(name) == packed:
            below.pop(name, None)
        else:
            below[name] = packed

    def bound_below(self) -> None:
        """As `bound`, of what stands before the open orders."""
        below = self.below or {}
        there = sum(packed != NOTHING for packed in below.values())
        if there + sum(name not in below for name in self.packed) <= self._kind.most:
            return
        decode = self._kind.decode
        known = {name: decode(packed) for name, packed in below.items() if packed != NOTHING}
        known |= {name: self._known(name) for name in self.packed if name not in below}
        for name in self._kind.least(known):
            if name in self.packed:
                below[name] = NOTHING
            else:
                below.pop(name, None)

    def rewind(self) -> None:
        """Back to before the open orders."""
        self._open.clear()
        if self.below is None:
            self.packed = {}
            return
        self.packed = {n: packed for n, packed in self.packed.items() if n not in self.below}
        self.packed |= {n: packed for n, packed in self.below.items() if packed != NOTHING}
        self.below = {}

    def close(self) -> dict[str, Raw]:
        """Everything, packed."""
        for name, value in self._open.items():
            self.packed[name] = Raw(_encode(value))
        self._open.clear()
        return self.packed

    def _drop_above(self, name: str) -> None:
        below = self.below if self.below is not None else {}
        if below.get(name) == NOTHING:
            del below[name]
        elif name not in below:
            below[name] = self._packed(name)

    def _known(self, name: str) -> T:
        known = self._open.get(name)
        return self._kind.decode(self.packed[name]) if known is None else known

    def _packed(self, name: str) -> Raw:
        known = self._open.get(name)
        return self.packed[name] if known is None else Raw(_encode(known))
