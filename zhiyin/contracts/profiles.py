"""The profile as it is stored and as it travels: facts (a fold of events), tags, snapshot, change.

Times are `Instant` (µs), money is in minor units. Everything is written as MessagePack. Facts hold
nothing that depends on *now*: RFM, lifecycle, live tags are computed from them (`zhiyin.facts`).
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.money import Minor

# How much of a person's history facts keep event by event.
EXACT_WINDOW: Final = 400 * DAY  # purchase, support, community, customer, engagement, custom
EXACT_BROWSES: Final = 200  # newest browse events; older ones are counted per day


Value = str | int | float | bool | list[str | int | float | bool | None] | None


class Attribute(Struct, frozen=True, array_like=True):
    value: Value
    source: str
    at: Instant
    event_id: str


class Consent(Struct, frozen=True, array_like=True):
    granted: bool
    source: str
    at: Instant
    event_id: str


class Kept(Struct, frozen=True, array_like=True):
    """An event kept exactly. `properties` is a MessagePack map with sorted keys, decoded only
    when a rule looks into it; free text and strings over 128 characters are left out."""

    at: Instant
    event_id: str
    type: str
    source: str
    properties: Raw


class Order(Struct, frozen=True, array_like=True):
    """An order inside the exact window. `event_id` is empty while only its cancellation or refund
    has been seen."""

    at: Instant = 0
    event_id: str = ""
    total: Minor = 0
    gift: bool = False
    cancelled: bool = False
    refunded: Minor = 0

    @property
    def counts(self) -> bool:
        """Whether `orders.count` includes it."""
        return self.event_id != "" and not self.cancelled

    @property
    def net(self) -> Minor:
        return max(self.total - self.refunded, 0) if self.counts else 0


class OrderTotals(Struct, frozen=True, array_like=True):
    """Over completed, not cancelled orders of the whole life; `total` is net of refunds."""

    count: int = 0
    total: Minor = 0
    refunded: Minor = 0
    first_at: Instant | None = None
    last_at: Instant | None = None


class CategoryTotals(Struct, frozen=True, array_like=True):
    orders: int = 0
    quantity: int = 0
    total: Minor = 0
    last_at: Instant | None = None


class SkuTotals(Struct, frozen=True, array_like=True):
    """Own use only: gifts are left out, so that they never make a reorder due."""

    category: str | None = None
    orders: int = 0
    quantity: int = 0
    last_at: Instant | None = None
    last_quantity: int = 0
    pack_days: int | None = None
    intervals: tuple[int, ...] = ()  # newest five gaps between own purchases, whole hours


class Ticket(Struct, frozen=True, array_like=True):
    kind: str = "question"
    opened_at: Instant | None = None
    resolved_at: Instant | None = None
    score: int | None = None
    scored_at: Instant | None = None

    @property
    def open(self) -> bool:
        return self.opened_at is not None and (
            self.resolved_at is None or self.resolved_at < self.opened_at
        )


class Seen(Struct, frozen=True, array_like=True):
    """Lifetime count, first and last instant of an event type."""

    count: int
    first_at: Instant
    last_at: Instant


class Facts(Struct, frozen=True, omit_defaults=True):
    """What the set of a person's events says; equal sets give byte-equal facts.

    - `identifiers`: namespace → value or token → shown form ("" where the value itself is shown)
    - `orders_kept`: order id → order, inside the exact window
    - `kept`: event family (`purchase`, `browse`, …) → events, oldest first by (at, event_id)
    - `days`: event type → category ("" for none) → day number since 1970 UTC, as text → count,
      for browse events older than the kept ones
    - `hours`: events per hour of the week (Monday 0:00 in the platform's time zone first), 168 long
    - `activity`: engagement per channel: type suffix (`opened`, …) → count
    - `pruned`: newest instant that has left the exact window, 0 if nothing has
    - `unlinked`: `namespace:token` → when it was taken away; what carried it before says no more
    """

    identifiers: dict[str, dict[str, str]] = {}
    attributes: dict[str, Attribute] = {}
    consents: dict[str, Consent] = {}
    orders: OrderTotals = OrderTotals()
    orders_kept: dict[str, Order] = {}
    categories: dict[str, CategoryTotals] = {}
    skus: dict[str, SkuTotals] = {}
    tickets: dict[str, Ticket] = {}
    seen: dict[str, Seen] = {}
    kept: dict[str, tuple[Kept, ...]] = {}
    days: dict[str, dict[str, dict[str, int]]] = {}
    hours: tuple[int, ...] = ()
    activity: dict[str, dict[str, int]] = {}
    newest: Instant = 0
    pruned: Instant = 0
    unlinked: dict[str, Instant] = {}


class Tag(Struct, frozen=True, array_like=True):
    """`until` None: until a rule or a person ends it. `source`: `rule:<tag>`, `manual:<actor>`."""

    since: Instant
    until: Instant | None
    source: str
    rule_version: int = 0
    evidence: tuple[str, ...] = ()  # event ids

    def holds(self, now: Instant) -> bool:
        return self.until is None or now < self.until


class Snapshot(Struct, frozen=True, omit_defaults=True):
    """A profile at a version, as it stands in PostgreSQL, in Redis and on `profile.changed`."""

    profile_id: str
    version: int
    created_at: Instant
    updated_at: Instant
    facts: Facts = Facts()
    tags: dict[str, Tag] = {}
    merged_from: tuple[str, ...] = ()


class Cause(Struct, frozen=True, array_like=True):
    """An event that brought a change about, with its typed facts kept for triggers."""

    event_id: str
    type: str
    source: str
    at: Instant
    received_at: Instant
    imported: bool
    properties: Raw  # MessagePack map, whole (free text too)
    traceparent: str = ""


class ProfileChanged(Struct, frozen=True, omit_defaults=True):
    """One person's change by one batch. `changed` are dependency names (`zhiyin.rules.reads`).

    `merged_into` set: this person is no more; all that hangs on `profile_id` moves there.
    `cause` is empty when time alone (a tag running out) or a tag rule's new version changed it.
    """

    message_id: str
    at: Instant
    snapshot: Snapshot
    changed: tuple[str, ...] = ()
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    cause: tuple[Cause, ...] = ()
    merged_into: str | None = None
    erased: bool = False


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_facts_decoder = msgspec.msgpack.Decoder(Facts)
_snapshot_decoder = msgspec.msgpack.Decoder(Snapshot)
_changed_decoder = msgspec.msgpack.Decoder(ProfileChanged)


def encode(document: Struct) -> bytes:
    """MessagePack with sorted keys: equal documents give equal bytes."""
    return _encoder.encode(document)


def decode_facts(value: bytes) -> Facts:
    return _facts_decoder.decode(value)


def decode_snapshot(value: bytes) -> Snapshot:
    return _snapshot_decoder.decode(value)


def decode_profile_changed(value: bytes) -> ProfileChanged:
    return _changed_decoder.decode(value)
