"""Where somebody stands in life, from what they said once: a child's age, a week of pregnancy.

Both move with time: a child is a month older at midnight (in the platform's time zone) of the day
of the month it was born on, or of the month's last day where that day is missing; a pregnancy is
a week further every seven days.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final, NamedTuple

from zhiyin.contracts.instants import DAY, Instant, instant, moment
from zhiyin.contracts.profiles import Attribute, Facts

CHILD: Final = "child_birth_date"
DUE: Final = "pregnancy_due_date"
WEEK: Final = "pregnancy_week"
LIFE_ATTRIBUTES: Final = frozenset(f"attributes.{name}" for name in (CHILD, DUE, WEEK))

_WEEK: Final = 7 * DAY
_TERM: Final = timedelta(weeks=40)  # from the last period, from which weeks are counted
_LAST_WEEK: Final = 42
_LAST_MONTH: Final = 18 * 12


class Life(NamedTuple):
    """Completed months and weeks of the youngest child's age (up to its 18th birthday), completed
    weeks of pregnancy (until week 42 is over, or a child is born). None where nothing is known."""

    child_months: int | None
    child_weeks: int | None
    pregnancy_week: int | None
    due_at: Instant | None


_NOTHING: Final = Life(None, None, None, None)


def life(facts: Facts, now: Instant, zone: tzinfo) -> Life:
    """As of `now`."""
    if not lives(facts):
        return _NOTHING
    born = _youngest(facts, now, zone)
    began = _conceived(facts, born, zone)
    week = None
    if began is not None and began <= now:
        week = (now - began) // _WEEK
    pregnant = week is not None and week <= _LAST_WEEK
    return Life(
        None if born is None else _months(born, now, zone),
        None if born is None else _weeks(born, now, zone),
        week if pregnant else None,
        began + _TERM // timedelta(microseconds=1) if pregnant and began is not None else None,
    )


def lives(facts: Facts) -> bool:
    """Whether anything was said that `life` reads."""
    return any(name in facts.attributes for name in (CHILD, DUE, WEEK))


def life_flips(facts: Facts, now: Instant, zone: tzinfo) -> list[Instant]:
    """Every instant after `now` at which something of `life` changes if nothing else is said."""
    flips: set[Instant] = set()
    for born in _births(facts):
        flips.update(_birthdays(born, zone))
    began = _conceived(facts, _youngest(facts, now, zone), zone)
    if began is not None:
        flips.update(began + week * _WEEK for week in range(_LAST_WEEK + 2))
    return sorted(flip for flip in flips if flip > now)


def _birthdays(born: date, zone: tzinfo) -> Iterator[Instant]:
    for months in range(_LAST_MONTH + 1):
        yield _midnight(_months_after(born, months), zone)
    for weeks in range((_months_after(born, _LAST_MONTH) - born).days // 7 + 1):
        yield _midnight(born + timedelta(weeks=weeks), zone)


def _births(facts: Facts) -> list[date]:
    stated = facts.attributes.get(CHILD)
    if stated is None:
        return []
    values = stated.value if isinstance(stated.value, list) else [stated.value]
    return [born for value in values if (born := _day(value)) is not None]


def _youngest(facts: Facts, now: Instant, zone: tzinfo) -> date | None:
    today = moment(now).astimezone(zone).date()
    return max((born for born in _births(facts) if born <= today), default=None)


def _conceived(facts: Facts, born: date | None, zone: tzinfo) -> Instant | None:
    """When the weeks of a pregnancy began to count. The newer of the two statements holds; one
    that ended with a birth is over."""
    due, week = facts.attributes.get(DUE), facts.attributes.get(WEEK)
    candidates: list[tuple[Instant, Instant]] = []
    if due is not None and (day := _day(due.value)) is not None:
        candidates.append((due.at, _midnight(day - _TERM, zone)))
    if week is not None and (number := _number(week)) is not None:
        candidates.append((week.at, week.at - number * _WEEK))
    if not candidates:
        return None
    began = max(candidates)[1]
    over = born is not None and _midnight(born, zone) > began
    return None if over else began


def _number(stated: Attribute) -> int | None:
    """A whole week, as number or text."""
    value = stated.value
    if isinstance(value, str) and value.isdecimal() and len(value) < 3:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value <= _LAST_WEEK else None


def _day(value: object) -> date | None:
    """`2026-01-15`, or a time that begins with it."""
    if not isinstance(value, str):
        return None
    try:
        day = date.fromisoformat(value[:10])
    except ValueError:
        return None
    return day if 1900 <= day.year <= 2200 else None


def _months(born: date, now: Instant, zone: tzinfo) -> int | None:
    today = moment(now).astimezone(zone).date()
    months = (today.year - born.year) * 12 + today.month - born.month
    months -= _months_after(born, months) > today
    return months if months < _LAST_MONTH else None


def _weeks(born: date, now: Instant, zone: tzinfo) -> int | None:
    if _months(born, now, zone) is None:
        return None
    return (moment(now).astimezone(zone).date() - born).days // 7


def _months_after(born: date, months: int) -> date:
    year, month = divmod(born.year * 12 + born.month - 1 + months, 12)
    return date(year, month + 1, min(born.day, monthrange(year, month + 1)[1]))


def _midnight(day: date, zone: tzinfo) -> Instant:
    return instant(datetime.combine(day, time(), zone))
