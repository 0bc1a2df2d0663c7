"""Reading only what some rules look at changes nothing they say."""

import pytest
from hypothesis import given, settings

from services.segmentation.domain.glance import WHOLE, glance, look_of, looks_with_readers
from tests.people import person_of
from tests.rules.strategies import Situation, rules, situations
from zhiyin.contracts.profiles import encode
from zhiyin.rules import Person, compile_rule, parse, reads


@settings(max_examples=150, deadline=None)
@given(situations(rules))
def test_a_rule_says_the_same_of_the_part_it_looks_at_as_of_the_whole(case: Situation) -> None:
    rule = parse(case.rule)
    whole = person_of(case.events, tags=case.tags, segments=["vips"])
    part = glance(encode(whole.snapshot), look_of(reads(rule)))
    compiled = compile_rule(rule)
    said = compiled.evaluate(Person(part, ["vips"]), case.now)
    assert said == compiled.evaluate(whole, case.now)


def test_what_nobody_looks_at_is_not_there() -> None:
    packed = encode(person_of([]).snapshot)
    part = glance(packed, look_of(["attributes.city"]))
    assert part.facts.attributes == {}
    with pytest.raises(AttributeError):
        _ = part.facts.kept


def test_an_unknown_dependency_looks_at_everything() -> None:
    assert look_of(["attributes.city", "weather.today"]) == WHOLE


def test_a_segment_is_looked_at_together_with_its_readers_readers() -> None:
    orders, city, tickets = map(look_of, (["orders"], ["attributes.city"], ["support"]))
    looks = looks_with_readers([orders, city, tickets, 0], [[1], [2], [], []])
    assert looks == (orders | city | tickets, city | tickets, tickets, 0)
