"""Words of customers become topics, and topics tags with the quote, once and for all."""

import msgspec

from services.profile import lexicon
from services.profile.domain.ready_tags import LIBRARY
from services.profile.tag_library import spec_of
from tests.builders import START, a_link, a_purchase, a_ticket, an_event
from tests.profile.harness import Service
from zhiyin.contracts.instants import DAY, HOUR, MINUTE
from zhiyin.contracts.profiles import Snapshot, Tag
from zhiyin.contracts.words import KeywordSpec

PACKAGING = {each.tag: spec_of(each) for each in LIBRARY if each.tag == "said-packaging"}
TEXT = "盒子压扁了，请打 13800001111 联系我"


async def tags(service: Service) -> dict[str, Tag]:
    [person] = await service.people()
    return {name: tag for name, tag in person.tags.items() if tag.holds(service.now)}


def heard_in(person: Snapshot) -> list[bytes]:
    """What rules find under `heard`, event by event."""
    kept = [each.properties for family in person.facts.kept.values() for each in family]
    return [
        msgspec.json.encode(found)
        for each in kept
        if (found := msgspec.msgpack.decode(each).get("heard"))
    ]


async def test_a_topic_becomes_a_tag_with_the_masked_quote(service: Service) -> None:
    await service.editor.install(PACKAGING, False)
    service.now = START + HOUR
    [told] = await service.apply(a_ticket(START, text=TEXT, event_id="t1", customer="M1"))
    assert told.tags_added == ("said-packaging",)
    tag = (await tags(service))["said-packaging"]
    assert (tag.quote, tag.evidence, tag.rule_version) == ("盒子压扁了", ("t1",), 1)
    assert "heard" in msgspec.msgpack.decode(told.cause[0].properties), (
        "campaigns may ask for it too"
    )
    [gone] = await service.pass_time(START + 90 * DAY + 1)
    assert gone.tags_removed == ("said-packaging",)


async def test_what_was_heard_stays_when_the_lexicon_changes(service: Service) -> None:
    await service.apply(a_ticket(START, ticket_id="T1", text="有膻骚", customer="M1"))
    [before] = await service.people()
    assert b'"other"' in heard_in(before)[0]
    async with service.database.transaction() as tx:
        await lexicon.put(tx, "膻骚", KeywordSpec("taste", "negative"))
    await service.check_plain_fold()
    merged = a_link(START + MINUTE, customer={"member_id": "M1", "device_id": "D1"})
    await service.apply(a_purchase(START, customer={"device_id": "D1"}))
    await service.apply(merged)
    [person] = await service.people()
    assert heard_in(person) == heard_in(before), "folded again, made out as before"
    await service.apply(a_ticket(START + HOUR, ticket_id="T2", text="有膻骚", customer="M1"))
    [after] = await service.people()
    assert b'"taste"' in heard_in(after)[1]
    await service.check_plain_fold()


async def test_only_the_customers_own_words_are_heard(service: Service) -> None:
    posted = {"topics": ["price"], "mood": "negative", "quote": "forged"}
    await service.apply(
        an_event("support.messaged", ticket_id="T", author="agent", text="包装破损"),
        an_event("community.reviewed", START + 1, score=5, heard=posted),
        an_event("community.shared", START + 2, text="包装破损", heard=posted),
        an_event("custom.survey", START + 3, heard="yes"),
    )
    [person] = await service.people()
    said = heard_in(person)
    assert len(said) == 2
    assert b'"packaging"' in said[0] + said[1]
    assert b"forged" not in said[0] + said[1]
    await service.check_plain_fold()
