"""Instants and durations: whole microseconds since 1970-01-01T00:00:00Z, as `int`.

Integers compare and subtract exactly and cost nothing to encode; datetimes exist only at the
edges (HTTP bodies, SQL parameters).
"""

import re
from datetime import UTC, datetime, timedelta

Instant = int
Duration = int

SECOND: Duration = 1_000_000
MINUTE: Duration = 60 * SECOND
HOUR: Duration = 60 * MINUTE
DAY: Duration = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_UNITS = {"s": SECOND, "m": MINUTE, "h": HOUR, "d": DAY}
_ISO_DURATION = re.compile(
    r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?",
)


def instant(moment: datetime) -> Instant:
    """The instant of an aware datetime. Raises ValueError when it has no offset."""
    if moment.tzinfo is None:
        raise ValueError("a time needs an offset, such as 2026-11-11T00:00:03+08:00")
    return (moment - _EPOCH) // _MICROSECOND


def moment(at: Instant) -> datetime:
    """The UTC datetime of an instant."""
    return _EPOCH + timedelta(microseconds=at)


def rfc3339(at: Instant) -> str:
    """An instant as RFC 3339 text in UTC, with microseconds only when there are any."""
    return moment(at).isoformat().replace("+00:00", "Z")


def duration(text: str) -> Duration:
    """Parse `30s`, `15m`, `36h`, `90d`, or ISO 8601 such as `P7D`, `PT15M`; ValueError if neither."""
    if short := _DURATION.fullmatch(text):
        return int(short[1]) * _UNITS[short[2]]
    iso = _ISO_DURATION.fullmatch(text)
    if iso is None or not any(iso.groups()):
        raise ValueError(f"{text!r} is not a duration such as 30s, 15m, 36h, 90d or P7D")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
    return weeks * 7 * DAY + days * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND
