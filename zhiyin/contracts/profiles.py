"""The profile as it is stored and as it travels: facts (a fold of events), tags, snapshot, change.

Times are `Instant` (µs), money is in minor units. Everything is written as MessagePack. Facts hold
nothing that depends on *now*: RFM, lifecycle, live tags are computed from them (`zhiyin.facts`).
"""

from typing import Final

import msgspec
from msgspec import Raw, Struct

from zhiyin.contracts.buying import (
    CategoryTotals,
    GiftTotals,
    Habit,
    Order,
    OrderTotals,
    Place,
    PriceTotals,
    Settled,
    SkuTotals,
)
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.not_linking import NotLinking

# Of events that are no longer kept, how far back they are counted by day or month.
EXACT_WINDOW: Final = 400 * DAY

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


class Ticket(Struct, frozen=True, array_like=True):
    kind: str = "question"
    opened_at: Instant | None = None
    resolved_at: Instant | None = None
    score: int | None = None
    scored_at: Instant | None = None
    touched: Instant = 0  # its newest event

    @property
    def open(self) -> bool:
        return self.opened_at is not None and (
            self.resolved_at is None or self.resolved_at < self.opened_at
        )


class PastTickets(Struct, frozen=True, array_like=True):
    """Tickets that are only counted any more: how many, complaints, open ones, open complaints,
    sum and number of their scores."""

    tickets: int = 0
    complaints: int = 0
    open: int = 0
    open_complaints: int = 0
    score: int = 0
    scores: int = 0


class Note(Struct, frozen=True, array_like=True):
    """What staff wrote down of a person; `text` None: taken back. `lasting`: to be heeded with
    every order, not only with the next."""

    kind: str
    text: str | None
    lasting: bool
    author: str
    source: str
    at: Instant
    event_id: str


class DayCounts(Struct, frozen=True, array_like=True):
    """Events that are only counted. `days`: on the day `newest` (number since 1970 UTC) and on
    those before it, back to the beginning of the block before its own; `blocks`: in the blocks of
    32 days (day number // 32) before those, newest first. `recent`: instants of the newest few
    purchases, oldest first, which are in none of these; with nothing but them `newest` is 0."""

    newest: int
    days: tuple[int, ...]
    blocks: tuple[int, ...] = ()
    recent: tuple[Instant, ...] = ()


class Seen(Struct, frozen=True, array_like=True):
    """Lifetime count, first and last instant of an event type."""

    count: int
    first_at: Instant
    last_at: Instant


class Facts(Struct, frozen=True, omit_defaults=True):
    """What the set of a person's events says; equal sets give byte-equal facts.

    Its size is bounded: events beyond the newest of each family are only counted, and the detail
    stays in the event log (docs/decisions/0007).

    - `identifiers`: namespace → value or token → shown form ("" where the value itself is shown)
    - `orders_kept`: order id → order, as far as its events are kept
    - `kept`: event family (`purchase`, `browse`, …) → newest events, oldest first by place
    - `days`: event type → category ("" for none) → counts of those no longer kept; a map of day
      number to count in documents from before 0007
    - `hours`: events per hour of the week (Monday 0:00 in the platform's time zone first), 168 long
    - `activity`: engagement per channel: type suffix (`opened`, …) → count
    - `pruned`: in documents from before 0007
    - `unlinked`: `namespace:token` → when an operator found it to be somebody else's; it is not
      among the identifiers, whatever events name it
    - `channels`, `stores`: where orders were made
    - `settled`: orders of which not everything is kept
    - `tickets_past`: tickets beyond the newest
    - `forgotten`: event family → place of the newest event that is no longer kept
    - `remembered`: event family → 4 bytes of hash of the order or ticket id of each newest event
    - `notes`: note id → note
    - `bounced`: `namespace:token` → when a message to it last came back for good
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
    days: dict[str, dict[str, DayCounts | dict[str, int]]] = {}
    hours: tuple[int, ...] = ()
    activity: dict[str, dict[str, int]] = {}
    newest: Instant = 0
    pruned: Instant = 0
    unlinked: dict[str, Instant] = {}
    gifts: GiftTotals = GiftTotals()
    prices: PriceTotals = PriceTotals()
    channels: dict[str, Habit] = {}
    stores: dict[str, Habit] = {}
    settled: Settled | None = None
    tickets_past: PastTickets = PastTickets()
    forgotten: dict[str, Place] = {}
    remembered: dict[str, bytes] = {}
    notes: dict[str, Note] = {}
    bounced: dict[str, Instant] = {}


class Tag(Struct, frozen=True, array_like=True):
    """`until` None: until a rule or a person ends it. `source`: `rule:<tag>`, `manual:<actor>`,
    `import:<source of the event>`. `evidence`: event ids; `quote`: what one of them said, masked.
    """

    since: Instant
    until: Instant | None
    source: str
    rule_version: int = 0
    evidence: tuple[str, ...] = ()
    quote: str = ""

    def holds(self, now: Instant) -> bool:
        return self.until is None or now < self.until


class Snapshot(Struct, frozen=True, omit_defaults=True):
    """A profile at a version, as it stands in PostgreSQL, in Redis and on `profile.changed`.

    `not_linking`: `namespace:token` → why an identifier seen with this person does not link."""

    profile_id: str
    version: int
    created_at: Instant
    updated_at: Instant
    facts: Facts = Facts()
    tags: dict[str, Tag] = {}
    merged_from: tuple[str, ...] = ()
    not_linking: dict[str, NotLinking] = {}


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
    `parted_from` set: this person is somebody of their own again; all that was theirs before the
    merge comes back from those ids, of whom older news up to that version is outdated.
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
    parted_from: dict[str, int] = {}


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
