"""Rows as the JSON others read."""

from typing import Any, Final

import msgspec
from msgspec import Raw, Struct

from services.profile.domain.health import without_health
from services.profile.domain.logged_event import decode_logged
from services.profile.reads import TimelineRow
from zhiyin.contracts.heard import Heard
from zhiyin.contracts.instants import rfc3339

_UPDATED: Final = "customer.updated"


class TimelineItem(Struct, frozen=True):
    """One event. `customer`: the identifiers it carried, personal ones masked. `heard`: what was
    made out in its words."""

    event_id: str
    type: str
    source: str
    occurred_at: str
    received_at: str
    imported: bool
    customer: dict[str, str]
    properties: Raw
    heard: Heard | None = None


def timeline_item(row: TimelineRow, with_health: bool) -> TimelineItem:
    """`with_health`: whether the person has consented to health facts being used."""
    event = decode_logged(row.value)
    properties = event.properties
    if not with_health and row.type == _UPDATED and b"health" in bytes(properties):
        content = without_health(msgspec.json.decode(properties, type=dict[str, Any]))
        properties = Raw(msgspec.json.encode(content))
    return TimelineItem(
        event.event_id,
        event.type,
        event.source,
        rfc3339(row.at),
        rfc3339(row.received_at),
        event.imported,
        {name: event.masks.get(name) or value for name, value in event.customer.items()},
        properties,
        event.heard,
    )


def attributes_in(document: dict[str, Any]) -> dict[str, Any]:
    """Attributes bare, or under `attributes`."""
    nested = document.get("attributes")
    return nested if isinstance(nested, dict) and len(document) == 1 else document
