"""An event of a dataset, still on the dataset's own clock."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from zhiyin.contracts.instants import Instant


@dataclass(frozen=True, slots=True)
class Draft:
    """`at` is on the purchases' clock (2017); `household` None for visitors nobody knows."""

    at: Instant
    event_id: str
    type: str
    source: str
    customer: Mapping[str, str]
    properties: Mapping[str, Any]
    household: int | None = None


def chance(*parts: object) -> int:
    """A number in 0…2³²−1 that is the same on every run: the demo's only source of choice."""
    text = ":".join(str(part) for part in parts)
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big")
