"""A person as rules see them: a snapshot, their segments, and what was worked out so far."""

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from types import MappingProxyType
from typing import Any, Final, TypeVar

import msgspec

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Kept, Snapshot
from zhiyin.facts import OrderHistory

T = TypeVar("T")

_UNKNOWN: Final = object()
_NO_FLIPS: Final[Mapping[str, Sequence[Instant]]] = MappingProxyType({})
_decoder = msgspec.msgpack.Decoder(dict[str, Any])


class Person:
    """Lives as long as one evaluation of many rules; what one rule has worked out (an event's
    decoded properties, the events that meet a condition, RFM) is there for the next.

    `segments`: those the person is in (a set is looked at as it is when a rule asks);
    `segment_flips`: when time alone will take them in or out of one, ascending, where somebody has
    worked that out. Without, segments stay as they are.
    `known`: what was worked out, by key; ask by `once` where a call does not matter."""

    __slots__ = ("_known_at", "_now", "facts", "known", "segment_flips", "segments", "snapshot")

    def __init__(
        self,
        snapshot: Snapshot,
        segments: Iterable[str] = (),
        segment_flips: Mapping[str, Sequence[Instant]] = _NO_FLIPS,
    ) -> None:
        self.snapshot = snapshot
        self.facts = snapshot.facts
        self.segments = segments if isinstance(segments, Set) else frozenset(segments)
        self.segment_flips = segment_flips
        self.known: dict[Any, Any] = {}
        self._now: Instant = 0
        self._known_at: dict[Any, Any] = {}

    def once(self, key: Any, work_out: Callable[["Person"], T]) -> T:
        """What `work_out` gives for this person, worked out the first time a key is asked for."""
        found = self.known.get(key, _UNKNOWN)
        if found is _UNKNOWN:
            found = self.known[key] = work_out(self)
        return found  # type: ignore[no-any-return]

    def once_at(self, now: Instant, key: Any, work_out: Callable[["Person", Instant], T]) -> T:
        """As `once`, for what depends on the instant; only the newest instant is remembered."""
        if now != self._now:
            self._now = now
            self._known_at = {}
        found = self._known_at.get(key, _UNKNOWN)
        if found is _UNKNOWN:
            found = self._known_at[key] = work_out(self, now)
        return found  # type: ignore[no-any-return]

    @property
    def history(self) -> OrderHistory:
        return self.once("history", lambda person: OrderHistory(person.facts))

    def kept(self, event_type: str) -> tuple[Kept, ...]:
        """The events of a type that are kept, oldest first."""
        return self.once(("kept", event_type), lambda person: _kept(person, event_type))

    def properties(self, event_type: str) -> tuple[Mapping[str, Any], ...]:
        """The properties of those events, in the same order."""
        return self.once(
            ("properties", event_type),
            lambda person: tuple(_decoder.decode(e.properties) for e in person.kept(event_type)),
        )


def _kept(person: Person, event_type: str) -> tuple[Kept, ...]:
    family = event_type.partition(".")[0]
    return tuple(e for e in person.facts.kept.get(family, ()) if e.type == event_type)
