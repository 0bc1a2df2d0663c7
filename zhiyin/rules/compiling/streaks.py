"""How many of the newest events in a row meet the conditions."""

from bisect import bisect_right

import msgspec

from zhiyin.contracts.instants import Instant
from zhiyin.rules.comparing import typed_test
from zhiyin.rules.compiling.leaf import CompiledLeaf, Finding, newest
from zhiyin.rules.loose import many
from zhiyin.rules.numbers import exact
from zhiyin.rules.options import Options
from zhiyin.rules.person import Person
from zhiyin.rules.tree import Streak
from zhiyin.rules.verdict import NO, YES, Verdict, verdict_over
from zhiyin.rules.where import compile_where

_Runs = tuple[list[Instant], list[int]]


def compile_streak(clause: Streak, options: Options) -> CompiledLeaf:
    event_type = clause.selector.event
    meets = compile_where(clause.selector.where, event_type, options)
    key = "streak\0" + msgspec.json.encode(clause.selector).decode()
    test = typed_test(clause.op, tuple(exact(each) for each in many(clause.value)))

    def runs(person: Person) -> _Runs:
        """When each event was, and how long the streak was before and after it."""
        lengths = [0]
        for properties in person.properties(event_type):
            lengths.append(lengths[-1] + 1 if meets(properties) else 0)
        return [event.at for event in person.kept(event_type)], lengths

    def length(person: Person, now: Instant) -> int:
        ats, lengths = person.once(key, runs)
        return lengths[bisect_right(ats, now)]

    def truth(person: Person, now: Instant) -> bool:
        return test(length(person, now))

    def evaluate(person: Person, now: Instant) -> Verdict:
        ats, lengths = person.once(key, runs)
        if ats and ats[-1] > now:
            return verdict_over(truth, person, now, ats[bisect_right(ats, now) :])
        return YES if test(lengths[-1]) else NO

    def find(person: Person, now: Instant) -> Finding:
        end = bisect_right(person.once(key, runs)[0], now)
        streak = length(person, now)
        met = person.kept(event_type)[end - streak : end]
        return Finding(streak, newest([event.event_id for event in met]))

    return CompiledLeaf(evaluate, find)
