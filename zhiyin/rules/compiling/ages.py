"""`older_than` and `newer_than` for a time the profile holds, such as `orders.last_at`."""

from collections.abc import Callable, Iterable
from typing import Any

from zhiyin.contracts.instants import Duration, Instant, duration
from zhiyin.rules.compiling.values import State, States, changing, steady
from zhiyin.rules.numbers import time_of
from zhiyin.rules.options import Options
from zhiyin.rules.paths import FactPath, Kind
from zhiyin.rules.person import Person
from zhiyin.rules.tree import FactIs
from zhiyin.rules.verdict import NO, YES, Evaluate, Verdict

_Times = Callable[[Any], Iterable[Instant]]


def compile_age(clause: FactIs, path: FactPath, options: Options) -> Evaluate:
    """A list of times passes if one of them does; a time ahead has no age yet and is new."""
    bound = duration(str(clause.value))
    states = _states(path, options)
    times = _times(path, options)
    if clause.op == "newer_than":
        return _age(states, times, bound, newer=True)
    return _age(states, times, bound, newer=False)


def _states(path: FactPath, options: Options) -> States:
    read = steady(path)
    if read is None:
        return changing(path, options)
    return lambda person, now: [State(now, read(person))]


def _times(path: FactPath, options: Options) -> _Times:
    if path.kind is Kind.TIME:
        return lambda value: () if value is None else (value,)

    def times(value: Any) -> list[Instant]:
        values = value if isinstance(value, list) else (value,)
        read = (time_of(each, options.zone) for each in values)
        return [at for at in read if at is not None]

    return times


def _age(states: States, times: _Times, bound: Duration, *, newer: bool) -> Evaluate:
    def holds(value: Any, now: Instant) -> bool:
        return any((now - at <= bound) is newer for at in times(value))

    def evaluate(person: Person, now: Instant) -> Verdict:
        course = states(person, now)
        matches = holds(course[0].value, now)
        for index, (start, value) in enumerate(course):
            end = course[index + 1].since if index + 1 < len(course) else None
            crossed = sorted(at + bound + 1 for at in times(value))
            for at in (start, *crossed):
                inside = at >= start and (end is None or at < end)
                if inside and at > now and holds(value, at) != matches:
                    return Verdict(matches, at)
        return YES if matches else NO

    return evaluate
