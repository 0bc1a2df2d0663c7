"""Tags that are brought along, and tags kept up to rules that change."""

import pytest

from tests.builders import START, a_browse, a_purchase, an_event, an_update
from tests.profile.harness import Service
from zhiyin.contracts.instants import DAY, HOUR, MINUTE
from zhiyin.contracts.profiles import Tag
from zhiyin.contracts.tag_rules import TagRuleSpec

FAN = {"streak": {"event": "browse.viewed", "where": {"category": "健身"}}, "op": "gte", "value": 3}
BUYER = {"fact": "orders.count", "op": "gte", "value": 1}


async def tags(service: Service) -> dict[str, Tag]:
    [person] = await service.people()
    return {name: tag for name, tag in person.tags.items() if tag.holds(service.now)}


async def put(service: Service, tag: str, spec: TagRuleSpec) -> None:
    await service.editor.put(tag, spec)
    await service.pass_time(service.now)


async def test_tags_of_another_system_come_and_go_with_its_events(service: Service) -> None:
    until = "2026-03-02T00:00:00+00:00"
    told = await service.apply(
        an_event(
            "customer.updated", START, customer="M1", source="crm", tags={"vip": True, "old": until}
        )
    )
    assert told[0].tags_added == ("old", "vip")
    held = await tags(service)
    assert held["vip"].source == "import:crm"
    assert held["old"].until == START + DAY
    [told_later] = await service.pass_time(START + DAY)
    assert told_later.tags_removed == ("old",)
    gone = an_event("customer.updated", START + 2 * HOUR, source="crm", tags={"vip": False})
    late = an_event("customer.updated", START + HOUR, source="crm", tags={"vip": True})
    await service.apply(gone)
    await service.apply(late)
    assert await tags(service) == {}, "what was said last holds, however late the rest arrives"


async def test_a_hand_stands_above_an_import_and_both_above_rules(service: Service) -> None:
    await put(service, "vip", TagRuleSpec(BUYER))
    await service.apply(a_purchase(START, customer="M1"))
    assert (await tags(service))["vip"].source == "rule:vip"
    await service.apply(an_event("customer.updated", START + 1, source="crm", tags={"vip": False}))
    assert await tags(service) == {}
    [person] = await service.people()
    hand = {"profile_id": person.profile_id}
    await service.apply(an_event("customer.tagged", START, customer=hand, tag="vip", actor="anna"))
    assert (await tags(service))["vip"].source == "manual:anna"
    await service.apply(an_event("customer.updated", START + 9, source="crm", tags={"vip": False}))
    assert (await tags(service))["vip"].source == "manual:anna"


async def test_an_end_without_offset_is_no_event(service: Service) -> None:
    naive = an_update(START, attributes=None, tags={"vip": "2027-01-01T00:00:00"})
    with pytest.raises(AssertionError, match="needs an offset"):
        await service.apply(naive)


async def test_a_new_rule_with_ttl_finds_the_last_event_at_which_it_matched(
    service: Service,
) -> None:
    service.now = START + DAY
    views = [a_browse(START + n * MINUTE, customer="M1", event_id=f"v{n}") for n in range(3)]
    await service.apply(*views, a_browse(START + HOUR, category="茶", customer="M1"))
    await put(service, "fitness-fan", TagRuleSpec(FAN, "30d"))
    tag = (await tags(service))["fitness-fan"]
    assert (tag.since, tag.until) == (START + 2 * MINUTE, START + 2 * MINUTE + 30 * DAY)
    assert set(tag.evidence) == {"v0", "v1", "v2"}
    await put(service, "other", TagRuleSpec(BUYER))
    assert (await tags(service))["fitness-fan"] == tag, "another rule's change does not touch it"
    await put(service, "fitness-fan", TagRuleSpec(FAN, "60d"))
    longer = (await tags(service))["fitness-fan"]
    assert (longer.until, longer.rule_version) == (START + 2 * MINUTE + 60 * DAY, 2)
    await put(service, "fitness-fan", TagRuleSpec({**FAN, "value": 4}, "60d"))
    assert await tags(service) == {}


async def test_a_tag_that_holds_under_a_changed_rule_shows_that_rule_s_evidence(
    service: Service,
) -> None:
    await put(service, "buyer", TagRuleSpec(BUYER))
    bought = {"count": {"event": "purchase.completed"}, "op": "gte", "value": 1}
    await service.apply(a_purchase(START, customer="M1", event_id="p1"))
    since = (await tags(service))["buyer"].since
    service.now += HOUR
    await put(service, "buyer", TagRuleSpec(bought))
    tag = (await tags(service))["buyer"]
    assert (tag.since, tag.rule_version, tag.evidence) == (since, 2, ("p1",))
