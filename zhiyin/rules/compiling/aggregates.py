"""Counts, sums and extremes over a window of events."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from decimal import Decimal
from itertools import accumulate
from math import floor
from typing import Any

from zhiyin.contracts.instants import Duration, Instant, duration
from zhiyin.rules.comparing import exact_scaled, typed_test
from zhiyin.rules.compiling.leaf import CompiledLeaf, Finding, newest
from zhiyin.rules.compiling.sources import Measure, Source
from zhiyin.rules.loose import Test, many
from zhiyin.rules.numbers import SCALE, exact
from zhiyin.rules.options import Options
from zhiyin.rules.person import Person
from zhiyin.rules.series import Series, changes
from zhiyin.rules.tree import Aggregate
from zhiyin.rules.verdict import NO, YES, Evaluate, Truth, Verdict, verdict_over

_Read = Callable[[Person], Series]
_Tails = Callable[[Series], list[int | None]]
_Number = Callable[[Series, slice], int | None]


def compile_aggregate(clause: Aggregate, options: Options) -> CompiledLeaf:
    read = _reader(clause, options)
    within = None if clause.within is None else duration(clause.within)
    scale = 1 if clause.function == "count" else SCALE
    wanted = tuple(exact_scaled(exact(each) or 0, scale) for each in many(clause.value))
    number = _NUMBERS[clause.function]
    test = typed_test(clause.op, wanted)

    def truth(person: Person, now: Instant) -> bool:
        series = read(person)
        return test(number(series, series.window(within, now)))

    def find(person: Person, now: Instant) -> Finding:
        series = read(person)
        window = series.window(within, now)
        return Finding(_shown(number(series, window), scale), newest(series.ids[window]))

    if clause.function in ("count", "sum") and clause.op in ("gt", "gte"):
        least = wanted[0] if clause.op == "gte" else floor(wanted[0]) + 1
        return CompiledLeaf(_at_least(read, truth, within, least), find)
    return CompiledLeaf(_walked(read, truth, within, test, _TAILS[clause.function]), find)


def _reader(clause: Aggregate, options: Options) -> _Read:
    if clause.property is None:
        return Source(clause.selector, options).read
    return Measure(clause.selector, clause.property, options).read


def _walked(
    read: _Read, truth: Truth, within: Duration | None, test: Test, tails: _Tails
) -> Evaluate:
    """Any other question: what is left of the window is asked again after each event that leaves
    it, all events of one instant together."""
    key = (read, tails)

    def evaluate(person: Person, now: Instant) -> Verdict:
        series = read(person)
        ats = series.ats
        if ats and ats[-1] > now:
            return verdict_over(truth, person, now, changes(series, within, now))
        left = person.once(key, lambda each: tails(series))
        if within is None:
            return YES if test(left[0]) else NO
        low = bisect_left(ats, now - within)
        matches = test(left[low])
        for index in range(low, len(ats)):
            last_of_instant = index + 1 == len(ats) or ats[index + 1] > ats[index]
            if last_of_instant and test(left[index + 1]) != matches:
                return Verdict(matches, ats[index] + within + 1)
        return YES if matches else NO

    return evaluate


def _at_least(read: _Read, truth: Truth, within: Duration | None, least: int | Decimal) -> Evaluate:
    """The commonest question, answered without walking the window: what reaches the bound ends
    with the oldest event that it cannot do without."""

    def evaluate(person: Person, now: Instant) -> Verdict:
        series = read(person)
        ats, sums = series.ats, series.sums
        if not series.rising or (ats and ats[-1] > now):
            return verdict_over(truth, person, now, changes(series, within, now))
        low = 0 if within is None else bisect_left(ats, now - within)
        if sums[-1] - sums[low] < least:
            return NO
        if within is None or least <= 0:
            return YES
        needed = bisect_right(sums, sums[-1] - least) - 1
        return Verdict(True, ats[needed] + within + 1)

    return evaluate


def _total(series: Series, window: slice) -> int:
    sums = series.sums
    start: int = window.start
    stop: int = window.stop
    return sums[stop] - sums[start]


def _greatest(series: Series, window: slice) -> int | None:
    return max(series.values[window], default=None)


def _smallest(series: Series, window: slice) -> int | None:
    return min(series.values[window], default=None)


def _totals_left(series: Series) -> list[int | None]:
    return [series.sums[-1] - before for before in series.sums]


def _greatest_left(series: Series) -> list[int | None]:
    return _backwards(series, max)


def _smallest_left(series: Series) -> list[int | None]:
    return _backwards(series, min)


_NUMBERS: dict[str, _Number] = {
    "count": _total,
    "sum": _total,
    "max": _greatest,
    "min": _smallest,
}


def _backwards(series: Series, choose: Callable[[int, int], int]) -> list[int | None]:
    from_end: list[int | None] = [None, *accumulate(reversed(series.values), choose)]
    return from_end[::-1]


# For each place in a series, the number over what stands from there to its end.
_TAILS: dict[str, _Tails] = {
    "count": _totals_left,
    "sum": _totals_left,
    "max": _greatest_left,
    "min": _smallest_left,
}


def _shown(number: int | None, scale: int) -> Any:
    if number is None or scale == 1:
        return number
    return f"{(Decimal(number) / scale).normalize():f}"
