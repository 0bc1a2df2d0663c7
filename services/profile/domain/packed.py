"""Facts and snapshots whose long parts stay encoded, byte for byte those of the contract.

An event on a heavy buyer must cost about what it costs on a new one, so what an event does not
touch is neither decoded nor encoded again.
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from services.profile.domain.hours import NO_HOURS
from zhiyin.contracts.buying import (
    Buying,
    GiftTotals,
    Habit,
    OrderTotals,
    Place,
    PriceTotals,
)
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.not_linking import NotLinking
from zhiyin.contracts.profiles import (
    Attribute,
    Consent,
    Facts,
    Note,
    PastTickets,
    Seen,
    Tag,
    Ticket,
    decode_facts,
    encode,
)

# Defaults are left out by identity, so equal facts need these very objects.
NO_ORDERS: Final = OrderTotals()
NO_GIFTS: Final = GiftTotals()
NO_PRICES: Final = PriceTotals()
NO_TICKETS: Final = PastTickets()
NO_SETTLED: Final = Raw(b"\xc0")


class PackedSettled(Struct, frozen=True, array_like=True):
    """`Settled`, field by field."""

    place: Place
    buying: Buying
    categories: dict[str, Raw]
    skus: dict[str, Raw]
    recent: Raw
    days: Raw


class PackedFacts(Struct, frozen=True, omit_defaults=True):
    """`Facts`, field by field; a `Raw` is the MessagePack of what the contract has there."""

    identifiers: dict[str, dict[str, str]] = {}
    attributes: dict[str, Attribute] = {}
    consents: dict[str, Consent] = {}
    orders: OrderTotals = NO_ORDERS
    orders_kept: dict[str, Raw] = {}
    categories: dict[str, Raw] = {}
    skus: dict[str, Raw] = {}
    tickets: dict[str, Ticket] = {}
    seen: dict[str, Seen] = {}
    kept: dict[str, Raw] = {}
    days: dict[str, dict[str, Raw]] = {}
    hours: Raw = NO_HOURS
    activity: dict[str, dict[str, int]] = {}
    newest: Instant = 0
    pruned: Instant = 0
    unlinked: dict[str, Instant] = {}
    gifts: GiftTotals = NO_GIFTS
    prices: PriceTotals = NO_PRICES
    channels: dict[str, Habit] = {}
    stores: dict[str, Habit] = {}
    settled: Raw = NO_SETTLED
    tickets_past: PastTickets = NO_TICKETS
    forgotten: dict[str, Place] = {}
    remembered: dict[str, bytes] = {}
    notes: dict[str, Note] = {}
    bounced: dict[str, Instant] = {}


class PackedSnapshot(Struct, frozen=True, omit_defaults=True):
    """`Snapshot`, field by field."""

    profile_id: str
    version: int
    created_at: Instant
    updated_at: Instant
    facts: PackedFacts = PackedFacts()
    tags: dict[str, Tag] = {}
    merged_from: tuple[str, ...] = ()
    not_linking: dict[str, NotLinking] = {}


_settled: Final = msgspec.msgpack.Decoder(PackedSettled | None)
_decoder: Final = msgspec.msgpack.Decoder(PackedSnapshot)


def unpack(facts: PackedFacts) -> Facts:
    """All of it, decoded."""
    return decode_facts(encode(facts))


def decode_settled(packed: Raw) -> PackedSettled | None:
    settled: PackedSettled | None = _settled.decode(packed)
    return settled


def decode_packed(value: bytes) -> PackedSnapshot:
    return _decoder.decode(value)
