"""Facts compared with values, tags held, segments belonged to."""

from bisect import bisect_right
from typing import Any

from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.money import from_minor
from zhiyin.rules.comparing import value_test
from zhiyin.rules.compiling.ages import compile_age
from zhiyin.rules.compiling.evidence import evidence_of
from zhiyin.rules.compiling.leaf import CompiledLeaf, Finding
from zhiyin.rules.compiling.named import Read
from zhiyin.rules.compiling.values import States, changing, steady
from zhiyin.rules.loose import Test, many
from zhiyin.rules.numbers import time_of
from zhiyin.rules.options import Options
from zhiyin.rules.paths import AGES, FactPath, Kind, locate
from zhiyin.rules.person import Person
from zhiyin.rules.tree import FactIs, InSegment, Tagged
from zhiyin.rules.verdict import NO, YES, Evaluate, Verdict, verdict, verdict_over


def compile_fact(clause: FactIs, options: Options) -> CompiledLeaf:
    path = known_path(clause.path)
    if path.root == "as_of":
        return _clock(clause, options)
    read = steady(path)
    evaluate = _fact_evaluate(clause, path, read, options)

    def find(person: Person, now: Instant) -> Finding:
        value = changing(path, options)(person, now)[0].value if read is None else read(person)
        return Finding(shown(value, path, options), evidence_of(person, path))

    return CompiledLeaf(evaluate, find)


def known_path(path: str) -> FactPath:
    """The fact of a path that was checked when its rule was parsed. Raises ValueError."""
    fact = locate(path)
    if fact is None:
        raise ValueError(f"there is no fact {path!r}")
    return fact


def _fact_evaluate(clause: FactIs, path: FactPath, read: Read | None, options: Options) -> Evaluate:
    if clause.op in AGES:
        return compile_age(clause, path, options)
    test = value_test(clause.op, clause.value, path.kind, options)
    return _changing(changing(path, options), test) if read is None else _steady(read, test)


def _steady(read: Read, test: Test) -> Evaluate:
    def evaluate(person: Person, now: Instant) -> Verdict:
        return YES if test(read(person)) else NO

    return evaluate


def _changing(states: States, test: Test) -> Evaluate:
    def evaluate(person: Person, now: Instant) -> Verdict:
        first, *later = states(person, now)
        matches = test(first.value)
        for at, value in later:
            if test(value) != matches:
                return Verdict(matches, at)
        return YES if matches else NO

    return evaluate


def _clock(clause: FactIs, options: Options) -> CompiledLeaf:
    """`as_of` compared with fixed instants: the profile's own clock."""
    test = value_test(clause.op, clause.value, Kind.TIME, options)
    bounds = [at for each in many(clause.value) if (at := time_of(each, options.zone)) is not None]
    steps = sorted({step for bound in bounds for step in (bound, bound + 1)})

    def truth(person: Person, now: Instant) -> bool:
        return test(now)

    def evaluate(person: Person, now: Instant) -> Verdict:
        return verdict_over(truth, person, now, (step for step in steps if step > now))

    return CompiledLeaf(evaluate, lambda person, now: Finding(rfc3339(now)))


def compile_tag(clause: Tagged) -> CompiledLeaf:
    name = clause.tag

    def evaluate(person: Person, now: Instant) -> Verdict:
        tag = person.snapshot.tags.get(name)
        if tag is None or not tag.holds(now):
            return NO
        return YES if tag.until is None else Verdict(True, tag.until)

    def find(person: Person, now: Instant) -> Finding:
        tag = person.snapshot.tags.get(name)
        if tag is None or not tag.holds(now):
            return Finding(None)
        return Finding({"since": rfc3339(tag.since), "source": tag.source}, tag.evidence)

    return CompiledLeaf(evaluate, find)


def compile_segment(clause: InSegment) -> CompiledLeaf:
    key = clause.segment

    def evaluate(person: Person, now: Instant) -> Verdict:
        inside = key in person.segments
        if not person.segment_flips:
            return YES if inside else NO
        flips = person.segment_flips.get(key, ())
        passed = bisect_right(flips, now)
        return verdict(inside != bool(passed % 2), flips[passed] if passed < len(flips) else None)

    return CompiledLeaf(evaluate, lambda person, now: Finding(evaluate(person, now).matches))


def shown(value: Any, path: FactPath, options: Options) -> Any:
    """A value as the profile shows it."""
    if value is None:
        return None
    match path.kind:
        case Kind.MONEY:
            return from_minor(value, options.currency)
        case Kind.TIME:
            return rfc3339(value)
        case Kind.LIST:
            return sorted(value)
        case Kind.NUMBER:
            return value if isinstance(value, int) else float(value)
        case _:
            return value
