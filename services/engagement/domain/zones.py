"""The clock a person lives by."""

from datetime import tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from zhiyin.contracts.profiles import Snapshot

ATTRIBUTE: Final = "timezone"


def zone_of(snapshot: Snapshot, platform: tzinfo) -> tzinfo:
    """That of their attribute `timezone` (`Asia/Urumqi`), or the platform's."""
    said = snapshot.facts.attributes.get(ATTRIBUTE)
    if said is None or not isinstance(said.value, str):
        return platform
    return _zone(said.value) or platform


@lru_cache(maxsize=1024)
def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None
