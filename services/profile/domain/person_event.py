"""An event as the fold sees it: typed, with an exact instant, and packed once for keeping."""

from collections.abc import Callable
from operator import attrgetter
from typing import Final

from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.properties.event_types import Properties

Identifier = tuple[str, str]
EventOrder = tuple[Instant, str, str]

NO_HOUR = -1


class PersonEvent(Struct, frozen=True, gc=False):
    """One event of one person.

    - `uid`: 16 bytes, by which it counts once
    - `kept`: MessagePack of the contract's `Kept`, free text left out
    - `whole`: MessagePack map of the properties with everything
    - `value`: the JSON as it stood on the topic
    - `hour`: hour of the week in which the customer was active, NO_HOUR when somebody else was
    """

    uid: bytes
    at: Instant
    event_id: str
    source: str
    type: str
    family: str
    identifiers: tuple[Identifier, ...]
    masks: dict[str, str]
    properties: Properties
    kept: bytes
    whole: bytes
    value: bytes
    hour: int
    imported: bool
    received_at: Instant


event_order: Final[Callable[[PersonEvent], EventOrder]] = attrgetter("at", "event_id", "source")
"""Where an event stands among a person's; no two share it."""
