"""Counts, sums and extremes over a window of events."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable
from decimal import Decimal
from math import floor
from typing import Any

from zhiyin.contracts.instants import Duration, Instant, duration
from zhiyin.rules.comparing import exact_scaled, typed_test
from zhiyin.rules.compiling.leaf import CompiledLeaf, Finding, newest
from zhiyin.rules.compiling.sources import Measure, Source
from zhiyin.rules.loose import many
from zhiyin.rules.numbers import SCALE, exact
from zhiyin.rules.options import Options
from zhiyin.rules.person import Person
from zhiyin.rules.series import Series, changes
from zhiyin.rules.tree import Aggregate
from zhiyin.rules.verdict import NO, YES, Evaluate, Truth, Verdict, verdict_over

_Read = Callable[[Person], Series]
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
    return CompiledLeaf(_general(read, truth, within), find)


def _reader(clause: Aggregate, options: Options) -> _Read:
    if clause.property is None:
        return Source(clause.selector, options).read
    return Measure(clause.selector, clause.property, options).read


def _general(read: _Read, truth: Truth, within: Duration | None) -> Evaluate:
    def evaluate(person: Person, now: Instant) -> Verdict:
        return verdict_over(truth, person, now, changes(read(person), within, now))

    return evaluate


def _at_least(read: _Read, truth: Truth, within: Duration | None, least: int | Decimal) -> Evaluate:
    """The commonest question, answered without walking the window: what reaches the bound ends
    with the oldest event that it cannot do without."""
    general = _general(read, truth, within)

    def evaluate(person: Person, now: Instant) -> Verdict:
        series = read(person)
        ats, sums = series.ats, series.sums
        if not series.rising or (ats and ats[-1] > now):
            return general(person, now)
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


_NUMBERS: dict[str, _Number] = {
    "count": _total,
    "sum": _total,
    "max": _greatest,
    "min": _smallest,
}


def _shown(number: int | None, scale: int) -> Any:
    if number is None or scale == 1:
        return number
    return f"{(Decimal(number) / scale).normalize():f}"
