"""The part of a snapshot that some segments look at, read without the rest.

A snapshot is mostly events kept one by one, and most rules that time flips never look at them:
reading all of it would be half the cost of a flip. What was left out is not there at all, so a
rule that looked at it nevertheless would fail rather than see nothing.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache, reduce
from operator import or_
from typing import Final, cast

import msgspec

from zhiyin.contracts.profiles import Facts, Snapshot

Look = int
"""A set of the fields of `Facts`, one bit each."""

_FIELDS: Final = {field.name: field for field in msgspec.structs.fields(Facts)}
_BIT: Final = {name: 1 << place for place, name in enumerate(_FIELDS)}
WHOLE: Final[Look] = (1 << len(_FIELDS)) - 1
# What rules read is named by the first part of a dependency; see `zhiyin.rules.reads`.
_LOOKS_AT: Final[dict[str, tuple[str, ...]]] = {
    "attributes": ("attributes",),
    "consents": ("consents",),
    "categories": ("categories",),
    "identifiers": ("identifiers", "bounced"),
    "orders": (
        "orders",
        "orders_kept",
        "settled",
        "gifts",
        "prices",
        "channels",
        "stores",
    ),
    "hours": ("hours",),
    "life": ("attributes",),
    "notes": ("notes", "orders"),
    "reorder": ("skus",),
    "quintiles": ("orders", "orders_kept", "settled"),
    "activity": ("activity",),
    "browse": ("seen",),
    "support": ("seen", "tickets", "tickets_past"),
    "events": ("seen", "kept", "days", "settled"),
    "tags": (),
    "segments": (),
    "profile": (),
}


def look_of(reads: Iterable[str]) -> Look:
    """What a rule with these dependency names looks at; everything, if a name is not known."""
    look = 0
    for name in reads:
        fields = _LOOKS_AT.get(name.partition(".")[0])
        if fields is None:
            return WHOLE
        look |= reduce(or_, (_BIT[field] for field in fields), 0)
    return look


def looks_with_readers(looks: Sequence[Look], readers: Sequence[Sequence[int]]) -> tuple[Look, ...]:
    """Of each segment in settling order: what it and whoever reads it, at whatever remove, looks
    at. `readers[i]`: positions greater than i."""
    reached = list(looks)
    for place in reversed(range(len(reached))):
        reached[place] = reduce(or_, (reached[reader] for reader in readers[place]), looks[place])
    return tuple(reached)


def glance(packed: bytes, look: Look) -> Snapshot:
    """The snapshot with those fields of its facts. Raises msgspec.MsgspecError."""
    return _decoder(look).decode(packed)


@lru_cache(maxsize=256)
def _decoder(look: Look) -> msgspec.msgpack.Decoder[Snapshot]:
    if look == WHOLE:
        return msgspec.msgpack.Decoder(Snapshot)
    parts = [
        (name, field.type, _default(field)) for name, field in _FIELDS.items() if look & _BIT[name]
    ]
    facts = msgspec.defstruct("PartOfFacts", parts, frozen=True)
    snapshot = msgspec.defstruct(
        "Glance", [("facts", facts, facts())], bases=(Snapshot,), frozen=True
    )
    return msgspec.msgpack.Decoder(cast(type[Snapshot], snapshot))


def _default(field: msgspec.structs.FieldInfo) -> object:
    if field.default_factory is not msgspec.NODEFAULT:
        return msgspec.field(default_factory=field.default_factory)
    return field.default
