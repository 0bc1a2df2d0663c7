"""What somebody has saved and neither bought nor put aside since."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot

_properties: Final = msgspec.msgpack.Decoder(dict[str, Any]).decode


def saved_at(snapshot: Snapshot, sku: str) -> Instant | None:
    """When they last saved it, as far as browsing is kept; None if they did not, or bought it
    later for their own use."""
    at = max(
        (
            event.at
            for event in snapshot.facts.kept.get("browse", ())
            if event.type == "browse.favorited" and _about(_properties(event.properties), sku)
        ),
        default=None,
    )
    bought = snapshot.facts.skus.get(sku)
    if at is None or (bought is not None and (bought.last_at or 0) >= at):
        return None
    return at


def _about(properties: Mapping[str, Any], sku: str) -> bool:
    return properties.get("sku") == sku
