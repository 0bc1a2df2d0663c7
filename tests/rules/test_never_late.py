"""Whatever the rule: up to its next flip the answer stays, asked at any instant in between."""

from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import START, an_event, an_update
from tests.people import person_of
from tests.rules.strategies import any_rules, instants_that_matter, lives, tags
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.profiles import Tag
from zhiyin.rules import compile_rule, parse

_ASKED = 60


@settings(max_examples=150, deadline=None)
@given(any_rules, lives, tags, st.integers(0, 10**6).map(Random))
def test_no_rule_changes_its_answer_before_its_next_flip(
    tree: dict[str, Any], events: list[Event], held: dict[str, Tag], random: Random
) -> None:
    now = START + random.randrange(400) * DAY + random.choice((0, 1, DAY // 2))
    told = [*events, *_said(random, now)]
    person = person_of(told, tags=held, segments=["b"], segment_flips={"b": [now + 3 * DAY]})
    evaluate = compile_rule(parse(tree)).evaluate
    matches, next_flip = evaluate(person, now)
    assert next_flip is None or next_flip > now
    end = now + 800 * DAY if next_flip is None else next_flip
    matter = instants_that_matter(told, held)
    asked = [random.randrange(now, end) for _ in range(_ASKED)]
    near = [at for at in (*matter, end - 1, now + 1, now + 3 * DAY) if now < at < end]
    for at in (*asked, *random.sample(near, min(len(near), _ASKED))):
        assert evaluate(person, at).matches == matches


def _said(random: Random, now: Instant) -> list[Event]:
    birthday = random.choice(("1990-02-28", "2000-02-29", "05-12", "1985-12-31", "nonsense"))
    return [
        an_update(now - random.randrange(3) * DAY, attributes={"birthday": birthday, "city": 3}),
        an_event("custom.city", now - random.randrange(9) * DAY, and_=1, city="杭州"),
    ]
