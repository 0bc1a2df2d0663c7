"""Where and when somebody buys: the channel and store of most orders, the hour of most activity."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from zhiyin.contracts.buying import Habit
from zhiyin.contracts.profiles import Facts

_HOURS_A_DAY: Final = 24


class Habits(NamedTuple):
    """`hour`: of the day (0–23) in the platform's time zone; None where nothing is known."""

    channel: str | None
    store: str | None
    hour: int | None


def habits(facts: Facts) -> Habits:
    return Habits(preferred(facts.channels), preferred(facts.stores), busiest_hour(facts.hours))


def preferred(known: Mapping[str, Habit]) -> str | None:
    """The one with most orders; of equals the one used last."""
    if not known:
        return None
    return max(known, key=lambda name: (known[name].orders, known[name].last_at, name))


def busiest_hour(hours: Sequence[int]) -> int | None:
    """Of the counts per hour of the week; of equals the earliest hour."""
    if not any(hours):
        return None
    by_hour = [sum(hours[hour::_HOURS_A_DAY]) for hour in range(_HOURS_A_DAY)]
    return by_hour.index(max(by_hour))
