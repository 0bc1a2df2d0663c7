"""When a message's event happened, by our clock."""

from datetime import UTC, datetime
from typing import Any, Final

from zhiyin.contracts.instants import SECOND, Instant, instant

# A request is under way for a while and sent again when that failed: no reason to doubt a clock.
_UNDER_WAY: Final = 10 * SECOND


def happened(stated: Any, sent_at: Any, now: Instant) -> Instant | None:
    """`stated` by the clock of whoever sent it; how far that is off is seen by `sent_at`, which was
    written when the request left (as in the Segment spec). None if `stated` is no time."""
    at, sent = _read(stated), _read(sent_at)
    if at is None:
        return None
    if sent is None or abs(now - sent) <= _UNDER_WAY:
        return at
    return at + (now - sent)


def _read(value: Any) -> Instant | None:
    """RFC 3339, or without an offset, which libraries that leave it out mean as UTC."""
    if not isinstance(value, str):
        return None
    try:
        found = datetime.fromisoformat(value.strip())
        return instant(found if found.tzinfo else found.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        return None
