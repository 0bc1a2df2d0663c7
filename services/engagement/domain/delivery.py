"""How often, how long and how soon a delivery is tried again."""

from datetime import datetime, time, timedelta, timezone
from typing import Final

from services.engagement.domain.chance import fraction
from zhiyin.contracts.instants import HOUR, MINUTE, SECOND, Duration, Instant, instant, moment

FIRST_RETRY: Final[Duration] = 2 * SECOND
LONGEST_RETRY: Final[Duration] = 15 * MINUTE
# A receiver that asks for more patience than this is taken at its word only so far.
LONGEST_ASKED: Final[Duration] = 6 * HOUR
MAX_AGE: Final[Duration] = 24 * HOUR
# Where the days of the providers' quotas begin and end.
BEIJING: Final = timezone(timedelta(hours=8))


def retry_after(attempts: int, action_id: str, asked: Duration | None = None) -> Duration:
    """How long to wait after the attempt of this number (1, 2, …): doubling from two seconds to
    fifteen minutes, spread by ±25 % so that a recovered receiver is not hit by all at once, and
    never less than what the receiver asked for."""
    doubled = min(FIRST_RETRY * 2 ** min(attempts - 1, 20), LONGEST_RETRY)
    spread = int(doubled * (0.75 + fraction(action_id, str(attempts)) / 2))
    return max(spread, min(asked or 0, LONGEST_ASKED))


def tomorrow(now: Instant) -> Instant:
    """When a daily quota of a Chinese provider begins anew."""
    day = moment(now).astimezone(BEIJING).date() + timedelta(days=1)
    return instant(datetime.combine(day, time(), BEIJING))
