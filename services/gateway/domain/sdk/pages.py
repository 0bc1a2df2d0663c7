"""Pages and screens as content somebody looked at."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote_plus

from services.gateway.domain.sdk.messages import Message, table, text
from services.gateway.domain.sdk.orders import Meant

# Queries of addresses are full of people's own data; the page is told without them.
_ADDRESSES: Final = ("url", "referrer")


def looked_at(message: Message) -> Meant:
    properties = table(message.properties)
    kept = {**properties, **_addresses(properties), "kind": "content"}
    kept["title"] = text(properties.get("title")) or text(message.name or properties.get("name"))
    kept["category"] = text(message.category) or text(properties.get("category"))
    kept["sku"] = text(properties.get("sku"))
    return Meant(
        "browse.viewed", {name: value for name, value in kept.items() if value is not None}
    )


def _addresses(properties: Mapping[str, Any]) -> dict[str, str]:
    """Addresses without query, and what was searched as people read it, so that a phone number
    in it is found and masked."""
    found = {
        name: value.partition("?")[0].partition("#")[0]
        for name in _ADDRESSES
        if isinstance(value := properties.get(name), str)
    }
    if isinstance(search := properties.get("search"), str):
        found["search"] = unquote_plus(search)
    return found
