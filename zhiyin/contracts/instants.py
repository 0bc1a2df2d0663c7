"""Instants and durations: whole microseconds since 1970-01-01T00:00:00Z, as `int`.

Integers compare and subtract exactly and cost nothing to encode; datetimes exist only at the
edges (HTTP bodies, SQL parameters).
"""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

Instant = int
Duration = int

SECOND: Duration = 1_000_000
MINUTE: Duration = 60 * SECOND
HOUR: Duration = 60 * MINUTE
DAY: Duration = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DURATION = re.compile(r"([1-9][0-9]{0,8})([smhd])")
_MINUTES_OF_DAY: Final = tuple(f"{n // 60:02}:{n % 60:02}:" for n in range(24 * 60))
_SECONDS_OF_MINUTE: Final = tuple(f"{n:02}" for n in range(60))
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


@lru_cache(maxsize=4096)
def rfc3339(at: Instant) -> str:
    """An instant as RFC 3339 text in UTC, with microseconds only when there are any."""
    # A profile has some fifty of these, so that they make up half of a read if `datetime` does it;
    # and most of them several times: an order is also the last of its category and of its SKUs.
    seconds, micros = divmod(at, SECOND)
    days, seconds = divmod(seconds, 86_400)
    minute, second = divmod(seconds, 60)
    text = f"{_date(days)}T{_MINUTES_OF_DAY[minute]}{_SECONDS_OF_MINUTE[second]}"
    return f"{text}.{micros:06}Z" if micros else f"{text}Z"


@lru_cache(maxsize=8192)
def _date(days: int) -> str:
    """The date so many days after 1970-01-01."""
    return moment(days * DAY).date().isoformat()


def duration(text: str) -> Duration:
    """Parse `30s`, `15m`, `36h`, `90d`, or ISO 8601 (`P7D`, `PT15M`); ValueError if neither."""
    if short := _DURATION.fullmatch(text):
        return int(short[1]) * _UNITS[short[2]]
    iso = _ISO_DURATION.fullmatch(text)
    if iso is None or not any(iso.groups()):
        raise ValueError(f"{text!r} is not a duration such as 30s, 15m, 36h, 90d or P7D")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in iso.groups())
    return weeks * 7 * DAY + days * DAY + hours * HOUR + minutes * MINUTE + seconds * SECOND
