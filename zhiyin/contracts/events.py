"""Customer events as they stand on the `events.*` topics (JSON); the way to their properties.

The envelope keeps `properties` as the producer wrote them, so nothing a storefront sends is lost;
`properties_of` gives the typed view of the same bytes. On a topic, phone and email are tokens.
"""

import hashlib
import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from msgspec import Raw, Struct, field

from zhiyin.contracts.properties.custom import Custom
from zhiyin.contracts.properties.event_types import PROPERTIES, Properties
from zhiyin.contracts.properties.shapes import Name

NAMESPACES: Final = (
    "member_id",
    "unionid",
    "openid",
    "phone",
    "email",
    "alipay_id",
    "device_id",
    "anonymous_id",
)
PERSONAL_NAMESPACES: Final = frozenset({"phone", "email"})
# Strongest first: the first one present is the event's key in the log. `profile_id` addresses a
# person directly; only the platform itself writes it (operator commands).
KEY_ORDER: Final = (
    "profile_id",
    "member_id",
    "unionid",
    "phone",
    "email",
    "openid",
    "alipay_id",
    "device_id",
    "anonymous_id",
)


class Event(Struct, frozen=True, omit_defaults=True):
    """One customer event. `occurred_at` has an offset; `masks` holds the shown form of tokens."""

    event_id: Name
    type: Name
    occurred_at: datetime
    customer: dict[str, str]
    properties: Raw = field(default_factory=lambda: Raw(b"{}"))
    source: Name = "default"
    imported: bool = field(name="import", default=False)
    received_at: datetime | None = None
    stated_at: datetime | None = None  # what a clock running ahead had said; see contract
    masks: dict[str, str] = {}


# The tag names the type inside a union; here the envelope names it, so it is not looked for.
_DECODERS: Final[dict[str, msgspec.json.Decoder[Any]]] = {
    name: msgspec.json.Decoder(kind) for name, kind in PROPERTIES.items()
}
_CUSTOM: Final = Custom()
_event_decoder: Final = msgspec.json.Decoder(Event)
_event_encoder: Final = msgspec.json.Encoder()


def decode_event(value: bytes) -> Event:
    """Decode an event from a topic. Raises msgspec.ValidationError or DecodeError."""
    return _event_decoder.decode(value)


def encode_event(event: Event) -> bytes:
    return _event_encoder.encode(event)


def properties_of(event: Event) -> Properties:
    """The typed properties of an event.

    Raises msgspec.ValidationError whose message ends with the path (`$.items[0].sku`), or KeyError
    for a type that is not `known`.
    """
    if event.type.startswith("custom."):
        return _CUSTOM
    return cast(Properties, _DECODERS[event.type].decode(event.properties))


def event_key(customer: Mapping[str, str]) -> str:
    """The log key of an event: its strongest identifier, as `namespace:value`."""
    for namespace in KEY_ORDER:
        if value := customer.get(namespace):
            return f"{namespace}:{value}"
    raise ValueError("an event needs at least one identifier")


def event_digest(source: str, event_id: str) -> bytes:
    """Identity of an event for deduplication: 128 bits of BLAKE2b over source and event id."""
    return hashlib.blake2b(f"{source}\0{event_id}".encode(), digest_size=16).digest()


def event_uid(source: str, event_id: str) -> uuid.UUID:
    """The same as a UUID, which takes twice as long to make."""
    return uuid.UUID(bytes=event_digest(source, event_id))
