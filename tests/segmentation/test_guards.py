"""Whoever lacks what a rule needs is out, and time alone never takes them in."""

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.segmentation.domain.guards import build_guards
from services.segmentation.domain.state import Standing
from tests.builders import START, a_browse, a_purchase, an_event, an_item, an_update
from tests.people import person_of
from tests.rules.strategies import any_rules, lives, rules, tags
from tests.segmentation.people import rules_of
from tests.segmentation.years import Followed, a_year
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.profiles import Tag
from zhiyin.rules import Options, compile_rule, parse
from zhiyin.rules.needs import needs
from zhiyin.rules.verdict import NO

OPTIONS = Options()


def shut(tree: Any, events: list[Event], now: Instant, **known: Any) -> bool:
    person = person_of(events, **known)
    return build_guards([needs(parse(tree), OPTIONS)], OPTIONS).shut(person, now, 1) == 1


@settings(max_examples=300, deadline=None)
@given(st.one_of(rules, any_rules), lives, tags, st.integers(0, 10**6).map(Random))
def test_a_rule_whose_needs_are_not_met_answers_no_for_good(
    tree: dict[str, Any], events: list[Event], held: dict[str, Tag], random: Random
) -> None:
    now = START + random.randrange(400) * DAY + random.choice((0, 1, DAY // 2))
    told = [*events, *_said(random, now)]
    if shut(tree, told, now, tags=held, segments=["vips"]):
        person = person_of(told, tags=held, segments=["vips"])
        assert compile_rule(parse(tree)).evaluate(person, now) == NO


def _said(random: Random, now: Instant) -> list[Event]:
    at = now - random.randrange(3) * DAY
    city = random.choice(("杭州", 3, "3", True, "true", ["a", 3], 0, ""))
    return [
        an_update(at, attributes={"city": city, "birthday": "05-12"}, consents={"health": True}),
        an_event("custom.city", at, **{"city": city, "my name": [1, "a b"]}),
    ]


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10**9), st.lists(st.one_of(rules, any_rules), min_size=1, max_size=8))
def test_comparing_two_copies_misses_nothing_that_an_event_moved(
    seed: int, trees: list[dict[str, Any]]
) -> None:
    named = {"vips": {"tag": "vip"}, "b": {"tag": "fan"}}
    named |= {f"g{place}": tree for place, tree in enumerate(trees)}
    compared, plain = (
        Followed(rules_of(named), Counter(), compares=compares) for compares in (True, False)
    )
    for event in a_year(Random(seed)):
        for each in (compared, plain):
            each.happens(event)
        assert begun(compared) == begun(plain)
        for key, due in flips_known(plain).items():
            assert flips_known(compared)[key] <= due


def begun(followed: Followed) -> dict[str, Instant]:
    """Since when the person is in each segment they are in."""
    return {key: one.since for key, one in standings(followed).items() if one.since is not None}


def flips_known(followed: Followed) -> dict[str, Instant]:
    """What a change has only put off may still be known for the earlier instant, never for one
    that is too late."""
    known = standings(followed)
    return {key: one.next_flip for key, one in known.items() if one.next_flip is not None}


def standings(followed: Followed) -> dict[str, Standing]:
    return {} if followed.known is None else followed.known.state.standings


def test_only_rules_that_may_hold_of_a_person_are_left_to_ask() -> None:
    nuts = a_purchase(START, total="259", items=[an_item(category="坚果")])
    life = [nuts, a_browse(START, category="健身"), an_update(START, attributes={"city": "杭州"})]
    for tree, left_out in (
        ({"fact": "categories.阿胶糕.orders", "op": "gte", "value": 1}, True),
        ({"fact": "categories.坚果.orders", "op": "gte", "value": 9}, False),
        ({"fact": "attributes.city", "op": "eq", "value": "上海"}, True),
        ({"fact": "attributes.city", "op": "ne", "value": "上海"}, False),
        ({"fact": "orders.total", "op": "gte", "value": "259.01"}, True),
        ({"fact": "orders.total", "op": "between", "value": ["100", "259"]}, False),
        ({"fact": "orders.count", "op": "lte", "value": 0}, True),
        ({"fact": "lifecycle.stage", "op": "in", "value": ["loyal", "repeat"]}, True),
        ({"fact": "lifecycle.stage", "op": "in", "value": ["lost"]}, False),
        ({"last": {"event": "browse.viewed", "where": {"sku": "A"}}, "newer_than": "9d"}, True),
        ({"last": {"event": "browse.viewed"}, "older_than": "90d"}, False),
        ({"count": {"event": "browse.carted", "within": "7d"}, "op": "eq", "value": 0}, False),
        ({"count": {"event": "browse.carted", "within": "7d"}, "op": "gte", "value": 1}, True),
        ({"any": [{"tag": "vip"}, {"fact": "orders.count", "op": "gte", "value": 1}]}, False),
        ({"any": [{"tag": "vip"}, {"tag": "fan"}]}, True),
        ({"not": {"fact": "attributes.city", "op": "missing"}}, False),
        ({"not": {"fact": "attributes.child", "op": "missing"}}, True),
    ):  # fmt: skip
        assert shut(tree, life, START + DAY) is left_out, tree
