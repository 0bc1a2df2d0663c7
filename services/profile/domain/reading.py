"""A record's bytes to a typed event, or the reason why it can never be one."""

from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from functools import lru_cache
from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from services.profile.domain.health import without_health
from services.profile.domain.logged_event import LoggedEvent, decode_logged
from services.profile.domain.person_event import NO_HOUR, Identifier, PersonEvent
from services.profile.domain.trimming import trimmed, with_exact_money
from zhiyin.contracts.events import KEY_ORDER, Event, decode_event, event_digest, properties_of
from zhiyin.contracts.heard import HEARD, TEXT_TYPES
from zhiyin.contracts.instants import DAY, HOUR, Duration, Instant, instant, moment
from zhiyin.contracts.profiles import Kept, encode
from zhiyin.contracts.properties.customer import CustomerUpdated
from zhiyin.contracts.properties.event_types import Properties, known
from zhiyin.contracts.properties.purchase import PurchaseCompleted, PurchaseRefunded
from zhiyin.contracts.properties.support import SupportMessaged

_NAMESPACES: Final = frozenset(KEY_ORDER)
_HOURS_A_WEEK: Final = 7 * 24
_THURSDAY: Final = 3 * 24  # the first hour of 1970, in hours of the week
_EARLIEST: Final = DAY
_AHEAD: Final = DAY
_LONGEST_TOKEN: Final = 512
# What a customer does, rather than what is done about them.
_ACTIVE_FAMILIES: Final = frozenset({"browse", "community"})
_ACTIVE_TYPES: Final = frozenset(
    {
        "purchase.completed",
        "support.opened",
        "support.rated",
        "engagement.opened",
        "engagement.clicked",
    }
)
_NO_LIMIT: Final = 1 << 60
_IN_WORDS: Final = frozenset(TEXT_TYPES)
_WRONG: Final = (msgspec.MsgspecError, ValueError, OverflowError, RecursionError, KeyError)


class Refusal(Struct, frozen=True):
    """Why a record is not an event."""

    code: str
    reason: str


class Reader:
    """`currency`: the platform's, others are refused. `zone`: in which the week has its hours."""

    def __init__(self, currency: str, zone: tzinfo) -> None:
        self._currency = currency
        self._zone = zone
        self._offset = lru_cache(maxsize=4096)(self._offset_on)

    def read(self, value: bytes, logged_at: Instant) -> PersonEvent | Refusal:
        """From a topic. `logged_at`: when the log took it in, which bounds how far ahead it may
        be."""
        return self._read(value, decode_event, logged_at)

    def read_logged(self, value: bytes) -> PersonEvent | Refusal:
        """From our own event log, where it was judged when it came."""
        return self._read(value, decode_logged, _NO_LIMIT)

    def _read(
        self, value: bytes, decode: Callable[[bytes], Event], logged_at: Instant
    ) -> PersonEvent | Refusal:
        try:
            event = decode(value)
            at = instant(event.occurred_at)
        except _WRONG as error:
            return Refusal("malformed", str(error))
        refusal = _refusal(event, at, logged_at)
        if refusal is not None:
            return refusal
        try:
            properties = properties_of(event)
            content = _decode_content(event.properties)
            if event.type in _IN_WORDS:
                content = _with_heard(content, event)
            return self._typed(event, at, properties, content, value, logged_at)
        except _WRONG as error:
            return Refusal("invalid_properties", str(error))

    def _typed(
        self,
        event: Event,
        at: Instant,
        properties: Properties,
        content: dict[str, Any],
        value: bytes,
        logged_at: Instant,
    ) -> PersonEvent | Refusal:
        if isinstance(properties, PurchaseCompleted) and properties.currency != self._currency:
            return Refusal("unsupported_currency", f"amounts are in {self._currency} here")
        if isinstance(properties, (PurchaseCompleted, PurchaseRefunded)):
            content = with_exact_money(content, properties)
        if isinstance(properties, CustomerUpdated):
            content = without_health(content)
        whole = encode_map(content)
        short = trimmed(content, bytes(event.properties))
        kept = whole if short is content else encode_map(short)
        return PersonEvent(
            event_digest(event.source, event.event_id),
            at,
            event.event_id,
            event.source,
            event.type,
            family_of(event.type),
            identifiers_of(event.customer),
            event.masks,
            properties,
            encode(Kept(at, event.event_id, event.type, event.source, Raw(kept))),
            whole,
            value,
            self._hour(at) if _active(event, properties) else NO_HOUR,
            event.imported,
            logged_at if event.received_at is None else instant(event.received_at),
        )

    def _hour(self, at: Instant) -> int:
        """Hour of the week, Monday 0:00 first."""
        offset = self._offset(at // DAY)
        if offset is None:
            offset = self._offset_at(at)
        return ((at + offset) // HOUR + _THURSDAY) % _HOURS_A_WEEK

    def _offset_on(self, day: int) -> Duration | None:
        """Of local time from UTC; None if it changes on that day (UTC)."""
        first, last = self._offset_at(day * DAY), self._offset_at((day + 1) * DAY - 1)
        return first if first == last else None

    def _offset_at(self, at: Instant) -> Duration:
        local = moment(at).astimezone(self._zone)
        return instant(local.replace(tzinfo=UTC)) - at


@lru_cache(maxsize=4096)
def family_of(event_type: str) -> str:
    """`purchase.completed` → `purchase`."""
    return event_type.partition(".")[0]


def identifiers_of(customer: Mapping[str, str]) -> tuple[Identifier, ...]:
    """Strongest first."""
    if len(customer) == 1:
        return tuple(customer.items())
    return tuple(
        (namespace, customer[namespace]) for namespace in KEY_ORDER if customer.get(namespace)
    )


def _with_heard(content: dict[str, Any], event: Event) -> dict[str, Any]:
    """Properties with what was made out in their words, as rules read it. What the event says of
    that itself does not count."""
    heard = event.heard if isinstance(event, LoggedEvent) else None
    others = {name: value for name, value in content.items() if name != HEARD}
    if heard is None:
        return others
    told = {"topics": heard.topics, "mood": heard.mood, "quote": heard.quote}
    return {**others, HEARD: told}


def encode_map(content: Mapping[str, Any]) -> bytes:
    return _encoder.encode(content)


_encoder: Final = msgspec.msgpack.Encoder(order="deterministic")
_decode_content: Final = msgspec.json.Decoder(dict[str, Any]).decode


def _refusal(event: Event, at: Instant, logged_at: Instant) -> Refusal | None:
    if not known(event.type):
        return Refusal("unknown_type", f"{event.type!r} is not an event type")
    if not _EARLIEST <= at <= logged_at + _AHEAD:
        return Refusal("occurred_at_out_of_range", f"{event.occurred_at} is no possible time")
    if not event.customer.keys() <= _NAMESPACES:
        strange = min(event.customer.keys() - _NAMESPACES)
        return Refusal("unknown_identifier", f"{strange!r} is not an identifier")
    tokens = "".join(event.customer.values())
    if not tokens:
        return Refusal("no_identifier", "an event needs at least one identifier")
    if "\0" in tokens or "\0" in event.event_id or "\0" in event.source:
        return Refusal("nul_character", "text may not contain the character U+0000")
    if len(tokens) > _LONGEST_TOKEN and max(map(len, event.customer.values())) > _LONGEST_TOKEN:
        return Refusal(
            "identifier_too_long", f"identifiers have at most {_LONGEST_TOKEN} characters"
        )
    return None


def _active(event: Event, properties: Properties) -> bool:
    if isinstance(properties, SupportMessaged):
        return properties.author == "customer"
    return event.type in _ACTIVE_TYPES or family_of(event.type) in _ACTIVE_FAMILIES
