"""The evaluator against a second implementation that knows no windows, caches or flips."""

from hypothesis import given, settings

from tests.people import person_of
from tests.rules.naive import World, holds
from tests.rules.strategies import (
    Situation,
    facts,
    instants_that_matter,
    leaves,
    rules,
    situations,
    windows,
)
from zhiyin.contracts.instants import Instant
from zhiyin.rules import Verdict, compile_rule, parse


def world_of(case: Situation) -> World:
    return World(case.events, case.tags, ["vips"])


def evaluated(case: Situation) -> Verdict:
    person = person_of(case.events, tags=case.tags, segments=["vips"])
    return compile_rule(parse(case.rule)).evaluate(person, case.now)


def course(case: Situation) -> list[tuple[Instant, bool]]:
    """Every change of the true answer from now on, by asking at every instant that matters."""
    world = world_of(case)
    found = [(case.now, holds(world, case.rule, case.now))]
    for at in instants_that_matter(case.events, case.tags):
        if at > case.now and holds(world, case.rule, at) != found[-1][1]:
            found.append((at, not found[-1][1]))
    return found


@settings(max_examples=200, deadline=None)
@given(situations(rules))
def test_every_rule_says_what_the_plain_reading_of_the_events_says(case: Situation) -> None:
    assert evaluated(case).matches == holds(world_of(case), case.rule, case.now)


def flips_when_it_says(case: Situation) -> None:
    flips = [at for at, _ in course(case)[1:]]
    assert evaluated(case).next_flip == (flips[0] if flips else None)


@settings(max_examples=200, deadline=None)
@given(situations(windows))
def test_a_count_over_a_window_flips_exactly_when_it_says(case: Situation) -> None:
    flips_when_it_says(case)


@settings(max_examples=200, deadline=None)
@given(situations(facts))
def test_a_fact_flips_exactly_when_it_says(case: Situation) -> None:
    flips_when_it_says(case)


@settings(max_examples=300, deadline=None)
@given(situations(leaves))
def test_a_single_clause_flips_exactly_when_it_says(case: Situation) -> None:
    flips_when_it_says(case)


@settings(max_examples=150, deadline=None)
@given(situations(rules))
def test_following_the_flips_finds_every_change(case: Situation) -> None:
    """A timer set to each next flip in turn is never late, misses nothing and comes to an end."""
    person = person_of(case.events, tags=case.tags, segments=["vips"])
    compiled = compile_rule(parse(case.rule))
    verdict = compiled.evaluate(person, case.now)
    followed = [(case.now, verdict.matches)]
    before = case.now
    while verdict.next_flip is not None:
        assert verdict.next_flip > before
        before = verdict.next_flip
        verdict = compiled.evaluate(person, before)
        if verdict.matches != followed[-1][1]:
            followed.append((before, verdict.matches))
    assert followed == course(case)
