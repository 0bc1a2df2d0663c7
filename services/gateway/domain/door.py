"""The door: judges one event as a storefront states it; what comes in is fit for the log."""

from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Raw, Struct, field

from services.gateway.domain.amounts import unacceptable_money
from services.gateway.domain.identifiers import normalised
from services.gateway.domain.masking import shown
from services.gateway.domain.operators import operator_only
from services.gateway.domain.personal import personal_attribute, without_personal
from services.gateway.domain.pointers import escaped, refusal_of
from services.gateway.domain.ranges import out_of_range
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.soundness import unsound
from services.gateway.domain.tokens import Tokens, is_token
from zhiyin.contracts.events import (
    PERSONAL_NAMESPACES,
    Event,
    encode_event,
    event_key,
    properties_of,
)
from zhiyin.contracts.instants import DAY, Instant, instant, moment
from zhiyin.contracts.properties.customer import CustomerUnlinked, CustomerUpdated
from zhiyin.contracts.properties.event_types import Properties, known
from zhiyin.contracts.properties.shapes import Name
from zhiyin.contracts.topics import topic_of


class Stated(Struct, frozen=True):
    """An event as posted. What the gateway itself writes (masks, times) cannot be stated."""

    event_id: Name
    type: Name
    occurred_at: datetime
    customer: dict[str, Any]
    properties: Raw = field(default_factory=lambda: Raw(b"{}"))
    source: Name = "default"
    imported: bool = field(name="import", default=False)


class Secret(NamedTuple):
    """A personal value and the token that stands for it."""

    namespace: str
    token: str
    value: str


class Accepted(NamedTuple):
    """An event as it goes into the log, and what goes into the vault before it. `properties`: as
    they are kept."""

    event_id: str
    topic: str
    key: str
    value: bytes
    secrets: tuple[Secret, ...]
    source: str
    type: str
    properties: bytes


class _People(NamedTuple):
    customer: dict[str, str]
    masks: dict[str, str]
    secrets: tuple[Secret, ...]


_EMPTY: Final = Raw(b"{}")
_stated: Final = msgspec.json.Decoder(Stated)
_event_id: Final = msgspec.json.Decoder(dict[str, Any])


class Door:
    """`currency` is the platform's (ISO 4217), `region` where phone numbers are at home."""

    def __init__(self, tokens: Tokens, currency: str = "CNY", region: str = "CN") -> None:
        self._tokens = tokens
        self._currency = currency
        self._region = region

    def judge(self, raw: bytes, now: Instant) -> Accepted | Rejection:
        """What becomes of one event (JSON). Never raises for what it is given."""
        if refusal := unsound(raw):
            return refusal
        try:
            stated = _stated.decode(raw)
        except ValueError as error:
            return refusal_of(error)
        if refusal := _unfit_type(stated.type):
            return refusal
        occurred = _occurred(stated.occurred_at, now)
        if isinstance(occurred, Rejection):
            return occurred
        people = self._people(stated.customer)
        if isinstance(people, Rejection):
            return people
        properties = self._properties(stated)
        if isinstance(properties, Rejection):
            return properties
        event = Event(
            event_id=stated.event_id,
            type=stated.type,
            occurred_at=moment(occurred),
            customer=people.customer,
            properties=properties,
            source=stated.source,
            imported=stated.imported,
            received_at=moment(now),
            stated_at=_ahead(stated.occurred_at, occurred),
            masks=people.masks,
        )
        return Accepted(
            stated.event_id,
            topic_of(stated.type),
            event_key(people.customer),
            encode_event(event),
            people.secrets,
            stated.source,
            stated.type,
            bytes(properties),
        )

    def _people(self, customer: dict[str, Any]) -> _People | Rejection:
        if not customer:
            return Rejection("no_identifier", "at least one identifier is needed", "/customer")
        kept: dict[str, str] = {}
        masks: dict[str, str] = {}
        secrets = []
        for namespace, stated in customer.items():
            value = normalised(namespace, stated, self._region)
            if isinstance(value, Rejection):
                return value._replace(pointer=f"/customer/{escaped(namespace)}")
            if namespace in PERSONAL_NAMESPACES:
                token = self._tokens.token(namespace, value)
                masks[namespace] = shown(namespace, value)
                secrets.append(Secret(namespace, token, value))
                value = token
            kept[namespace] = value
        return _People(kept, masks, tuple(secrets))

    def _properties(self, stated: Stated) -> Raw | Rejection:
        """The properties as they are kept: checked against their type, personal values gone."""
        raw = bytes(stated.properties)
        if raw[:1] != b"{":
            return Rejection("wrong_type", "properties is an object", "/properties")
        try:
            typed = properties_of(Event("-", stated.type, stated.occurred_at, {}, Raw(raw)))
        except ValueError as error:
            return refusal_of(error, "/properties")
        if refusal := self._unfit(typed, raw):
            return refusal._replace(pointer="/properties" + refusal.pointer)
        if isinstance(typed, CustomerUnlinked):
            return self._unlinked(typed)
        return Raw(without_personal(raw))

    def _unfit(self, typed: Properties, raw: bytes) -> Rejection | None:
        if isinstance(typed, CustomerUpdated) and (refusal := personal_attribute(typed.attributes)):
            return refusal
        return (
            operator_only(typed)
            or unacceptable_money(typed, raw, self._currency)
            or out_of_range(typed)
        )

    def _unlinked(self, typed: CustomerUnlinked) -> Raw | Rejection:
        kept = []
        for index, text in enumerate(typed.identifiers):
            found = self.identifier(text)
            if isinstance(found, Rejection):
                return found._replace(pointer=f"/properties/identifiers/{index}")
            kept.append(found)
        return Raw(msgspec.json.encode({"identifiers": kept}))

    def identifier(self, text: str) -> str | Rejection:
        """`namespace:value` with the value normalised and, if personal, replaced by its token
        (which it may be already)."""
        namespace, _, stated = text.partition(":")
        if namespace in PERSONAL_NAMESPACES and is_token(stated):
            return text
        value = normalised(namespace, stated, self._region)
        if isinstance(value, Rejection):
            return value
        if namespace in PERSONAL_NAMESPACES:
            value = self._tokens.token(namespace, value)
        return f"{namespace}:{value}"

    def token(self, namespace: str, stated: str) -> str | None:
        """The token of a phone or email however it is spelled; None if it is none."""
        found = self.identifier(f"{namespace}:{stated}")
        return None if isinstance(found, Rejection) else found.partition(":")[2]


def stated_id(raw: bytes) -> str | None:
    """The event id of a refused event, where it can be made out."""
    try:
        found = _event_id.decode(raw).get("event_id")
    except (ValueError, RecursionError):
        return None
    return found[:128] if isinstance(found, str) else None


def _unfit_type(event_type: str) -> Rejection | None:
    if not known(event_type):
        return Rejection("unknown_type", "a type of the contract or custom.<name>", "/type")
    return operator_only(event_type)


def _occurred(stated: datetime, now: Instant) -> Instant | Rejection:
    if stated.tzinfo is None:
        return Rejection("missing_offset", "a time needs its offset, as +08:00", "/occurred_at")
    at = instant(stated)
    if at > now + DAY:
        return Rejection("in_the_future", "more than 24 hours ahead", "/occurred_at")
    if at < 0:
        return Rejection("too_old", "before 1970", "/occurred_at")
    return min(at, now)


def _ahead(stated: datetime, recorded: Instant) -> datetime | None:
    """The stated time where the clock that stated it runs ahead of ours."""
    return stated if instant(stated) > recorded else None
