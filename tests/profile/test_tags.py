"""Tags by rule and by hand: set, upgraded, ended, to the instant."""

from typing import Any

import pytest

from tests.builders import START, a_browse, a_purchase, an_event, an_item
from tests.profile.harness import Service
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, SECOND
from zhiyin.contracts.profiles import Tag
from zhiyin.contracts.tag_rules import TagRuleSpec
from zhiyin.runtime.problems import Problem

FAN = {"streak": {"event": "browse.viewed", "where": {"category": "健身"}}, "op": "gte", "value": 3}
MATS = {"event": "purchase.completed", "where": {"category": "瑜伽"}}
DEEP = {"all": [{"tag": "fitness-fan"}, {"count": MATS, "op": "gte", "value": 1}]}
QUIET = {"last": {"event": "purchase.completed"}, "older_than": "90d"}


async def put(service: Service, tag: str, rule: Any, ttl: str | None = None) -> None:
    await service.editor.put(tag, TagRuleSpec(rule, ttl))
    await service.pass_time(service.now)


async def tags(service: Service) -> dict[str, Tag]:
    [person] = await service.people()
    return {name: tag for name, tag in person.tags.items() if tag.holds(service.now)}


async def test_three_views_in_a_row_make_a_fan_even_if_the_batch_goes_on(service: Service) -> None:
    await put(service, "fitness-fan", FAN, "30d")
    service.now = START + HOUR
    views = [a_browse(START + n * MINUTE, customer="M1", event_id=f"v{n}") for n in range(3)]
    told = await service.apply(*views, a_browse(START + 5 * MINUTE, category="茶", customer="M1"))
    tag = (await tags(service))["fitness-fan"]
    assert tag.since == START + 2 * MINUTE
    assert tag.until == START + 2 * MINUTE + 30 * DAY
    assert tag.source == "rule:fitness-fan"
    assert tag.rule_version == 1
    assert set(tag.evidence) == {"v0", "v1", "v2"}
    assert told[0].tags_added == ("fitness-fan",)
    assert "tags.fitness-fan" in told[0].changed


async def test_a_fan_who_buys_a_yoga_mat_is_a_deep_one_by_the_same_event(service: Service) -> None:
    await put(service, "a-deep", DEEP)
    await put(service, "fitness-fan", FAN, "30d")
    service.now = START + HOUR
    mat = a_purchase(START, items=[an_item("MAT", category="瑜伽")], customer="M1")
    views = [a_browse(START + n * MINUTE, customer="M1", event_id=f"v{n}") for n in range(3)]
    await service.apply(mat)
    assert await tags(service) == {}
    [told] = await service.apply(*views)
    assert told.tags_added == ("a-deep", "fitness-fan")


async def test_a_tag_ends_at_its_last_match_plus_ttl_and_takes_its_upgrade_along(
    service: Service,
) -> None:
    await put(service, "fitness-fan", FAN, "30d")
    await put(service, "a-deep", DEEP)
    service.now = START + HOUR
    mat = a_purchase(START, items=[an_item("MAT", category="瑜伽")], customer="M1")
    await service.apply(mat, *[
        a_browse(START + n * MINUTE, customer="M1", event_id=f"v{n}") for n in range(3)
    ])  # fmt: skip
    ends = START + 2 * MINUTE + 30 * DAY
    assert await service.pass_time(ends - 1) == []
    [told] = await service.pass_time(ends)
    assert told.tags_removed == ("a-deep", "fitness-fan")
    assert told.cause == ()
    assert await service.pass_time(ends + DAY) == []


async def test_a_tag_without_ttl_comes_and_goes_with_its_rule(service: Service) -> None:
    await put(service, "quiet", QUIET)
    await service.apply(a_purchase(START, customer="M1"))
    flips = START + 90 * DAY + 1
    assert await service.pass_time(flips - 1) == []
    [told] = await service.pass_time(flips)
    assert told.tags_added == ("quiet",)
    assert (await tags(service))["quiet"].since == flips
    service.now = flips + DAY
    [told] = await service.apply(a_purchase(service.now, customer="M1"))
    assert told.tags_removed == ("quiet",)


async def test_a_late_import_sets_nothing_that_would_have_ended(service: Service) -> None:
    await put(service, "fitness-fan", FAN, "30d")
    service.now = START + 300 * DAY
    await service.apply(
        *[a_browse(START + n * MINUTE, customer="M1", event_id=f"v{n}") for n in range(3)]
    )
    assert await tags(service) == {}


async def test_what_a_hand_set_or_took_away_stands_above_rules(service: Service) -> None:
    await put(service, "buyer", {"fact": "orders.count", "op": "gte", "value": 1})
    await service.apply(a_purchase(START, customer="M1"))
    [person] = await service.people()
    who = {"profile_id": person.profile_id}
    await service.apply(an_event("customer.untagged", START + 5, customer=who, tag="buyer"))
    assert "buyer" not in await tags(service)
    await service.apply(a_purchase(START + HOUR, customer="M1"))
    assert "buyer" not in await tags(service), "the rule matches, the hand stands above it"
    earlier = an_event("customer.tagged", START + 4, customer=who, tag="buyer", actor="late")
    await service.apply(earlier)
    assert "buyer" not in await tags(service), "the newest word counts, not the latest to arrive"
    until = "2026-03-02T00:00:00+00:00"
    service.now = START + HOUR
    [told] = await service.apply(
        an_event("customer.tagged", START + 6, customer=who, tag="vip", until=until, actor="anna")
    )
    assert told.tags_added == ("vip",)
    assert (await tags(service))["vip"].source == "manual:anna"
    [told] = await service.pass_time(START + DAY)
    assert told.tags_removed == ("vip",)


async def test_a_changed_rule_tags_everybody_again_in_the_background(service: Service) -> None:
    service.now = START + DAY
    await service.apply(*[a_purchase(START, customer=f"M{n}", total=str(n)) for n in range(700)])
    await service.editor.put(
        "big", TagRuleSpec({"fact": "orders.total", "op": "gte", "value": "350"})
    )
    told = await service.pass_time(service.now)
    assert {one.tags_added for one in told} == {("big",)}
    assert len(told) == 350
    await service.editor.put(
        "big", TagRuleSpec({"fact": "orders.total", "op": "gte", "value": "690"})
    )
    told = await service.pass_time(service.now + SECOND)
    assert sum(one.tags_removed == ("big",) for one in told) == 340
    await service.editor.delete("big")
    told = await service.pass_time(service.now + SECOND)
    assert {one.tags_removed for one in told} == {("big",)}
    assert len(told) == 10


WRONG: list[tuple[Any, str | None, str]] = [
    ({"nonsense": 1}, None, "invalid_rule"),
    ({"segment": "dormant"}, None, "segment_in_tag_rule"),
    ({"tag": "loop"}, None, "tag_cycle"),
    (QUIET, "30 days", "invalid_duration"),
]


async def test_a_wrong_rule_is_refused_with_its_place(service: Service) -> None:
    for rule, ttl, code in WRONG:
        with pytest.raises(Problem) as refused:
            await service.editor.put("loop", TagRuleSpec(rule, ttl))
        assert (refused.value.status, refused.value.code) == (422, code)
        assert refused.value.errors[0].pointer.startswith(("/rule", "/ttl"))
