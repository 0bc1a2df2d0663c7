"""Rows as the JSON others read."""

from typing import Any

from msgspec import Raw, Struct

from services.profile.reads import TimelineRow
from zhiyin.contracts.events import decode_event
from zhiyin.contracts.instants import rfc3339


class TimelineItem(Struct, frozen=True):
    """One event. `customer`: the identifiers it carried, personal ones masked."""

    event_id: str
    type: str
    source: str
    occurred_at: str
    received_at: str
    imported: bool
    customer: dict[str, str]
    properties: Raw


def timeline_item(row: TimelineRow) -> TimelineItem:
    event = decode_event(row.value)
    return TimelineItem(
        event.event_id,
        event.type,
        event.source,
        rfc3339(row.at),
        rfc3339(row.received_at),
        event.imported,
        {name: event.masks.get(name) or value for name, value in event.customer.items()},
        event.properties,
    )


def attributes_in(document: dict[str, Any]) -> dict[str, Any]:
    """Attributes bare, or under `attributes`."""
    nested = document.get("attributes")
    return nested if isinstance(nested, dict) and len(document) == 1 else document
