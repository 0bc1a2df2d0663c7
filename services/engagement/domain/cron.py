"""The instants a cron expression names, in a time zone."""

import re
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from croniter import CroniterError, croniter

from zhiyin.contracts.instants import SECOND, Instant, instant, moment

_FIELDS: Final = 5
# The library's own additions: R draws lots, so that two instances would not agree; H needs a seed.
_DRAWN: Final = re.compile(r"(?<![A-Za-z])[HR](?![A-Za-z])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cron:
    expression: str
    zone: tzinfo

    def after(self, at: Instant) -> Instant:
        """The next instant after `at`."""
        return instant(self._from(at).get_next(datetime))

    def by(self, now: Instant) -> Instant:
        """The newest instant that has come by `now`."""
        return instant(self._from(now + SECOND).get_prev(datetime))

    def _from(self, at: Instant) -> croniter:
        return croniter(self.expression, moment(at // SECOND * SECOND).astimezone(self.zone))


def cron(expression: str, zone: tzinfo, now: Instant = 0) -> Cron:
    """Raises ValueError for what is no cron expression of five fields, or one that never comes."""
    if len(expression.split()) != _FIELDS:
        raise ValueError("takes five fields: minute, hour, day, month, day of the week")
    if _DRAWN.search(expression):
        raise ValueError("takes no random fields")
    found = Cron(" ".join(expression.split()), zone)
    try:
        found.after(now)
    except (CroniterError, ValueError, KeyError, OverflowError) as error:
        raise ValueError(str(error) or "is no cron expression") from error
    return found
