"""From a message to the event of ours that it means, or what is kept of it where it means none."""

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from services.gateway.domain.rejection import Rejection
from services.gateway.domain.sdk.commerce import COMMERCE
from services.gateway.domain.sdk.messages import TRACK, TYPES, Envelope, Message, read, table, text
from services.gateway.domain.sdk.naming import slug
from services.gateway.domain.sdk.orders import Meant
from services.gateway.domain.sdk.pages import looked_at
from services.gateway.domain.sdk.people import Who, linked, who
from services.gateway.domain.sdk.timing import happened
from services.gateway.domain.sdk.traits import said
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.properties.event_types import PROPERTIES

_LONGEST_ID: Final = 128
_NO_TIME: Final = Rejection("invalid_time", "not a time; the time of receipt stands", "/timestamp")
_NOBODY: Final = Rejection("no_identifier", "neither userId nor anonymousId is usable", "/userId")
# What somebody is, and who is who, is said by identify and alias; the rest may be tracked by name.
_OURS: Final = frozenset(name for name in PROPERTIES if not name.startswith("customer."))
_encoder: Final = msgspec.json.Encoder(decimal_format="number")


class Mapped(NamedTuple):
    """What a message means. `left_out`: what in it was not usable, and is not missed."""

    event_id: str
    occurred_at: Instant
    source: str
    customer: Mapping[str, str]
    meant: Meant
    message: Message
    left_out: tuple[Rejection, ...]

    @property
    def raw(self) -> bytes:
        """The event as the contract has it (JSON)."""
        return self._event(self.meant)

    def instead(self, refusal: Rejection) -> Iterator[bytes]:
        """What is kept of it when the door refuses the event: one of a custom type that holds what
        was sent and why it could not be more, or if that cannot be kept either, the reason."""
        name = custom_type(self.message)
        why = {"as": self.meant.type, **refusal._asdict()}
        sent = {**table(self.message.properties), **_traits_shown(self.message)}
        yield self._event(Meant(name, {**sent, "refused": why}))
        yield self._event(Meant(name, {"refused": why}))

    def _event(self, meant: Meant) -> bytes:
        return _encoder.encode(
            {
                "event_id": self.event_id,
                "type": meant.type,
                "occurred_at": rfc3339(self.occurred_at),
                "source": self.source,
                "customer": self.customer,
                "properties": meant.properties,
            }
        )


def mapped(
    raw: bytes, envelope: Envelope, source: str, now: Instant, region: str
) -> Mapped | Rejection:
    """`source`: what the key it came with is called; `region`: where phone numbers are at home.
    The rejection's pointer is from the message's root."""
    message = read(raw)
    if isinstance(message, Rejection):
        return message
    kind = envelope.type or text(message.type) or TRACK
    if kind not in TYPES:
        return Rejection("unknown_type", f"a message is one of {', '.join(sorted(TYPES))}", "/type")
    context = {**envelope.context, **table(message.context)}
    message = msgspec.structs.replace(message, type=kind, context=context)
    return _of(message, raw, envelope, source, now, region)


def _of(
    message: Message, raw: bytes, envelope: Envelope, source: str, now: Instant, region: str
) -> Mapped | Rejection:
    stated = message.original_timestamp or message.timestamp
    at = happened(stated, message.sent_at or envelope.sent_at, now)
    person = _person(message, region)
    if not person.customer:
        return next(iter(person.left_out), _NOBODY)
    event_id = _event_id(message, raw, now, timed=at is not None)
    meant, left_out = _meant(message, event_id)
    untimed = (_NO_TIME,) if stated is not None and at is None else ()
    return Mapped(
        event_id,
        now if at is None else at,
        source,
        person.customer,
        meant,
        message,
        (*untimed, *person.left_out, *left_out),
    )


def _person(message: Message, region: str) -> Who:
    if message.type == "alias":
        return linked(message, region)
    return who(message, _traits(message), region)


def _traits(message: Message) -> Mapping[str, Any]:
    """The person's. Some libraries send them in the context alone; those of a group are its own."""
    own = {} if message.type == "group" else table(message.traits)
    return {**table(table(message.context).get("traits")), **own}


def _event_id(message: Message, raw: bytes, now: Instant, *, timed: bool) -> str:
    """The message's own id, which is the same on every retry. What has none goes by what it says,
    and by when it came if it does not say when it was."""
    stated = text(message.message_id)
    if stated is not None and len(stated) <= _LONGEST_ID:
        return stated
    when = b"" if stated is not None or timed else str(now).encode()
    what = raw if stated is None else stated.encode()
    return hashlib.blake2b(what + when, digest_size=16).hexdigest()


def _meant(message: Message, event_id: str) -> tuple[Meant, tuple[Rejection, ...]]:
    match message.type:
        case "identify":
            told = said(_traits(message))
            update = {"attributes": told.attributes, "consents": told.consents}
            return Meant("customer.updated", update), told.left_out
        case "alias":
            return Meant("customer.linked", {}), ()
        case "page" | "screen":
            return _with_campaign(looked_at(message), message), ()
        case "group":
            group = {"group_id": text(message.group_id), "traits": table(message.traits)}
            return Meant(custom_type(message), group), ()
        case _:
            return _with_campaign(_tracked(message, event_id), message), ()


def _tracked(message: Message, event_id: str) -> Meant:
    properties = table(message.properties)
    name = text(message.event) or ""
    if name in _OURS:
        return Meant(name, dict(properties))
    if (means := COMMERCE.get(slug(name))) is not None:
        channel = text(properties.get("channel")) or text(message.channel)
        return means(properties, event_id, channel or _channel(message))
    return Meant(custom_type(message), {"event": name, **properties})


def _channel(message: Message) -> str | None:
    """A page in the context is where the libraries for browsers leave it."""
    return "browser" if "page" in table(message.context) else None


def _with_campaign(meant: Meant, message: Message) -> Meant:
    """The campaign that brought somebody here (`utm_…`) is worth keeping with what they did."""
    campaign = table(table(message.context).get("campaign"))
    if not campaign or "campaign" in meant.properties:
        return meant
    return meant._replace(properties={**meant.properties, "campaign": campaign})


def custom_type(message: Message) -> str:
    """`custom.<name>`; a name may be one already."""
    named = text(message.event) if message.type == TRACK else None
    return f"custom.{slug((named or message.type).removeprefix('custom.')) or message.type}"


def _traits_shown(message: Message) -> Mapping[str, Any]:
    traits = table(message.traits)
    return {"traits": traits} if traits else {}
