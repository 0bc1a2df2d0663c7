"""The tracking plan: what each source sends of each type, how much of it is refused and why, and
which properties the contract does not know."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from services.gateway.domain.masking import masked_text
from services.gateway.domain.rejection import Rejection
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.properties.event_types import PROPERTIES, known
from zhiyin.contracts.properties.purchase import Item

UNREADABLE: Final = "(unreadable)"
OTHERS: Final = "(others)"
_LONGEST_NAME: Final = 128
# Whoever makes up names by the thousand is counted under one.
MOST_PAIRS: Final = 2_000
MOST_NAMES: Final = 200

_object: Final = msgspec.json.Decoder(dict[str, Raw])
_objects: Final = msgspec.json.Decoder(list[dict[str, Raw]])
_anything: Final = msgspec.json.Decoder(dict[str, Any])


def _names(kind: Any) -> frozenset[str]:
    return frozenset(each.encode_name for each in msgspec.structs.fields(kind))


_KNOWN: Final[Mapping[str, frozenset[str]]] = {
    name: _names(kind) for name, kind in PROPERTIES.items()
}
# Texts that are one of a few words, and never a person's own.
_WORDS: Final = frozenset(
    {"kind", "currency", "channel", "author", "category", "sku", "type", "status", "unit"}
)
_ITEM: Final = _names(Item)


class Pair(Struct, frozen=True):
    """`source` and `type` as stated; `(unreadable)` where that cannot be made out."""

    source: str
    type: str


@dataclass(slots=True)
class Tally:
    """What has come of one pair since it was last written down. `newest`: the newest accepted
    event's properties (JSON) as they are kept."""

    accepted: int = 0
    rejected: int = 0
    first_at: Instant = 0
    last_at: Instant = 0
    refusals: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    newest: bytes | None = None


class Tallies:
    """Counts in memory until `take`."""

    def __init__(self) -> None:
        self._tallies: dict[Pair, Tally] = {}

    def accepted(self, source: str, event_type: str, properties: bytes, now: Instant) -> None:
        tally = self._tally(Pair(_shown(source), _shown(event_type)), now)
        tally.accepted += 1
        tally.newest = properties
        for name in unknown_names(event_type, properties):
            _count(tally.unknown, name)

    def rejected(self, raw: bytes, refusal: Rejection, now: Instant) -> None:
        self._refuse(stated_pair(raw), refusal, now)

    def unmapped(self, source: str, refusal: Rejection, now: Instant) -> None:
        """A message of an SDK that no event can be made of."""
        self._refuse(Pair(_shown(source), UNREADABLE), refusal, now)

    def left_out(self, source: str, event_type: str, refusal: Rejection, now: Instant) -> None:
        """Something in an event was not usable; it is taken without that."""
        tally = self._tally(Pair(_shown(source), _shown(event_type)), now)
        _count(tally.refusals, _why(refusal))

    def _refuse(self, pair: Pair, refusal: Rejection, now: Instant) -> None:
        tally = self._tally(pair, now)
        tally.rejected += 1
        _count(tally.refusals, _why(refusal))

    def take(self) -> Mapping[Pair, Tally]:
        """Everything counted since the last time."""
        taken, self._tallies = self._tallies, {}
        return taken

    def give_back(self, taken: Mapping[Pair, Tally]) -> None:
        """It could not be written down: count on from there."""
        for pair, old in taken.items():
            new = self._tallies.setdefault(pair, Tally(first_at=old.first_at))
            new.accepted += old.accepted
            new.rejected += old.rejected
            new.first_at = min(new.first_at, old.first_at)
            new.last_at = max(new.last_at, old.last_at)
            new.refusals += old.refusals
            new.unknown += old.unknown
            new.newest = new.newest or old.newest

    def _tally(self, pair: Pair, now: Instant) -> Tally:
        found = self._tallies.get(pair)
        if found is None:
            if len(self._tallies) >= MOST_PAIRS:
                pair = Pair(OTHERS, OTHERS)
            found = self._tallies.setdefault(pair, Tally(first_at=now))
        found.last_at = now
        return found


def unknown_names(event_type: str, properties: bytes) -> set[str]:
    """Properties the contract does not name, as paths; those of `custom.` types are all free."""
    expected = _KNOWN.get(event_type)
    if expected is None:
        return set()
    stated = _object.decode(properties)
    found = {_shown(name) for name in stated.keys() - expected}
    if "items" in expected and "items" in stated:
        for item in _objects.decode(stated["items"]):
            found |= {f"items/{_shown(name)}" for name in item.keys() - _ITEM}
    return found


def stated_pair(raw: bytes) -> Pair:
    """Of a refused event, as far as it can be made out. A made-up type is not worth a row."""
    try:
        stated = _anything.decode(raw)
    except (ValueError, RecursionError):
        return Pair(UNREADABLE, UNREADABLE)
    source, kind = stated.get("source", "default"), stated.get("type")
    return Pair(
        _shown(source) if isinstance(source, str) and source and "\0" not in source else UNREADABLE,
        kind if isinstance(kind, str) and len(kind) <= _LONGEST_NAME and _fit(kind) else UNREADABLE,
    )


def example_of(event_type: str, properties: bytes) -> dict[str, Any]:
    """The shape of an event: numbers, truth values and a few words of ours stay, any other text
    is replaced by what kind of text it is."""
    stated = _anything.decode(properties)
    return {_shown(name): _example(name, value) for name, value in stated.items()}


def _example(name: str, value: Any) -> Any:
    match value:
        case dict():
            return {_shown(key): _example(key, part) for key, part in value.items()}
        case list():
            return [_example(name, part) for part in value[:3]]
        case str() if name in _WORDS:
            return masked_text(value)[:64]
        case str() if value.replace(".", "", 1).isdecimal() and len(value) <= 12:
            return "<number>"
        case str():
            return "<text>"
        case bool() | None:
            return value
        case _:
            return value if name in ("quantity", "pack_days", "score") else "<number>"


def _fit(kind: str) -> bool:
    return known(kind) and "\0" not in kind and masked_text(kind) == kind


def _shown(name: str) -> str:
    """A name may be anything, somebody's phone number too."""
    return masked_text(name[:_LONGEST_NAME]).replace("\0", "")


def _general(pointer: str) -> str:
    """`/properties/items/3/sku` → `/properties/items/*/sku`, so that all of them count as one."""
    steps = pointer.split("/")
    return _shown("/".join("*" if step.isdecimal() else step for step in steps))


def _why(refusal: Rejection) -> str:
    return f"{refusal.code} {_general(refusal.pointer)}".rstrip()


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < MOST_NAMES else OTHERS] += 1
