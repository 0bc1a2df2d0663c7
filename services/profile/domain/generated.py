"""Events of the platform's own making: what follows from merging and parting people."""

import uuid
from collections.abc import Sequence

import msgspec
from msgspec import Raw

from services.profile.domain.party import PROFILE
from services.profile.domain.person_event import Identifier, PersonEvent
from zhiyin.contracts.events import Event, encode_event
from zhiyin.contracts.instants import Instant, moment

SOURCE = "zhiyin"


def withdrawal(
    cause: PersonEvent,
    number: int,
    kept: str,
    at: Instant,
    purposes: tuple[str, ...],
    between: Sequence[Sequence[str]],
) -> bytes:
    """The stricter answer holds for two who disagreed, `between` stored people on either side. "~"
    sorts after what was said at the same instant."""
    linked = {"keep": kept, "withdrawn": purposes, "between": between}
    event = Event(
        f"~merge:{uuid.UUID(bytes=cause.uid)}:{number}",
        "customer.linked",
        moment(at),
        {PROFILE: kept},
        Raw(msgspec.json.encode(linked)),
        SOURCE,
        cause.imported,
        moment(cause.received_at),
    )
    return encode_event(event)


def arrival(cause: PersonEvent, number: int, identifier: Identifier, shown: str) -> bytes:
    """An identifier that left a person names the new one it leads to."""
    namespace, token = identifier
    event = Event(
        f"~parted:{uuid.UUID(bytes=cause.uid)}:{number}",
        "customer.linked",
        moment(cause.at),
        {namespace: token},
        Raw(b'{"parted":true}'),
        SOURCE,
        cause.imported,
        moment(cause.received_at),
        masks={namespace: shown} if shown else {},
    )
    return encode_event(event)
