"""Health facts exist only with the consent `health`: no fact, no tag, no rule without it."""

import itertools
from typing import Any

import pytest

from services.profile.domain.fold import NOBODY, NeedsHistory, fold, refold
from services.profile.domain.policy import PLAIN
from tests.builders import START, an_update
from tests.profile.events import read_all
from tests.profile.harness import Service
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.tag_rules import TagRuleSpec
from zhiyin.rules import compile_rule, parse, reads

ILLNESS = {"health.blood_sugar": "high"}


def told(at: int = START, **attributes: Any) -> Event:
    return an_update(at, attributes=attributes or {**ILLNESS, "city": "杭州"})


def consent(at: int, granted: bool) -> Event:
    return an_update(at, consents={"health": granted})


def test_in_any_order_and_batching_health_facts_follow_the_newest_consent() -> None:
    events = read_all(
        told(START),
        consent(START + HOUR, True),
        consent(START + 2 * HOUR, False),
        told(START + 3 * HOUR, **{"health.allergy": "nuts"}),
        consent(START + 4 * HOUR, True),
    )
    for count in range(1, 6):
        whole = encode(refold(events[:count], PLAIN))
        for order in itertools.permutations(events[:count]):
            facts = NOBODY
            for number, event in enumerate(order):
                folded = fold(facts, [event], PLAIN)
                if isinstance(folded, NeedsHistory):
                    facts = refold(order[: number + 1], PLAIN)
                else:
                    facts = folded.facts
            assert encode(facts) == whole
    final = refold(events, PLAIN).attributes
    assert set(final) == {"city", "health.blood_sugar", "health.allergy"}
    assert set(refold(events[:4], PLAIN).attributes) == {"city"}


@pytest.mark.parametrize(
    "rule",
    [
        {"fact": "attributes.health.blood_sugar", "op": "eq", "value": "high"},
        {"not": {"fact": "attributes.health.blood_sugar", "op": "eq", "value": "low"}},
        {"any": [{"fact": "attributes.health.x", "op": "missing"}]},
    ],
)
async def test_no_rule_about_health_holds_without_the_consent(
    service: Service, rule: dict[str, Any]
) -> None:
    assert "consents.health" in reads(parse(rule))
    compile_rule(parse(rule))
    await service.editor.put("sweet", TagRuleSpec(rule))
    await service.editor.put("lasting", TagRuleSpec(rule, ttl="400d"))
    await service.pass_time(service.now)

    async def tags() -> set[str]:
        [person] = await service.people()
        await service.check_plain_fold()
        return {name for name, tag in person.tags.items() if tag.holds(service.now)}

    service.now = START + DAY
    await service.apply(told(START))
    assert await tags() == set()
    [change] = await service.apply(consent(START + HOUR, True))
    assert await tags() == {"sweet", "lasting"}
    assert "attributes.health.blood_sugar" in change.changed
    [change] = await service.apply(consent(START + 2 * HOUR, False))
    assert await tags() == set()
    assert change.tags_removed == ("lasting", "sweet")
    for said in ("blood_sugar", "high"):
        assert said.encode() not in encode(change.snapshot)


async def test_what_a_campaign_hears_of_an_update_says_nothing_of_health(service: Service) -> None:
    [change] = await service.apply(consent(START, True), told(START + HOUR))
    assert "health.blood_sugar" in change.snapshot.facts.attributes
    for cause in change.cause:
        assert b"blood_sugar" not in bytes(cause.properties)
