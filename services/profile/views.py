"""Rows as the JSON others read."""

from typing import Any

from msgspec import Raw, Struct

from services.profile.domain.logged_event import decode_logged
from services.profile.reads import TimelineRow
from zhiyin.contracts.heard import Heard
from zhiyin.contracts.instants import rfc3339


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


def timeline_item(row: TimelineRow) -> TimelineItem:
    event = decode_logged(row.value)
    return TimelineItem(
        event.event_id,
        event.type,
        event.source,
        rfc3339(row.at),
        rfc3339(row.received_at),
        event.imported,
        {name: event.masks.get(name) or value for name, value in event.customer.items()},
        event.properties,
        event.heard,
    )


def attributes_in(document: dict[str, Any]) -> dict[str, Any]:
    """Attributes bare, or under `attributes`."""
    nested = document.get("attributes")
    return nested if isinstance(nested, dict) and len(document) == 1 else document
