"""How long each class of data is kept, unless an operator says otherwise."""

from collections.abc import Mapping
from typing import Final

from zhiyin.contracts.instants import DAY, Duration, duration

KEEP: Final = "keep"
Limits = Mapping[str, Duration | None]

# - dead_letters: records that could not be applied
# - erasure_notes: what each service counted when it erased somebody (the receipt stays)
# - tombstones: digests that keep late events from bringing somebody erased back
# - support_text: what people wrote to support and community, in the event log
# - message_content: what was written to people; that, when and why it was stays
KEPT: Final[Mapping[str, Duration]] = {
    "dead_letters": 30 * DAY,
    "erasure_notes": 30 * DAY,
    "tombstones": 30 * DAY,
    "support_text": 730 * DAY,
    "message_content": 400 * DAY,
}


def limits_in(text: str) -> Limits:
    """`dead_letters=7d,support_text=keep`: limits by class, None for none. Raises ValueError."""
    found: dict[str, Duration | None] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, limit = part.partition("=")
        if name not in KEPT:
            raise ValueError(f"{name!r} is no class of data; there are {', '.join(KEPT)}")
        found[name] = None if limit == KEEP else duration(limit)
    return found
