"""Merging is undone without loss: who was merged away is again who they were."""

from typing import Any, NamedTuple

import msgspec

from services.profile.domain.packed import decode_packed
from tests.builders import START, a_browse, a_purchase, an_event, an_update
from tests.profile.harness import Service
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import HOUR, MINUTE, SECOND
from zhiyin.contracts.not_linking import PARTED
from zhiyin.contracts.profiles import ProfileChanged, decode_snapshot
from zhiyin.contracts.tag_rules import TagRuleSpec

FAN = {"count": {"event": "browse.viewed", "where": {"category": "健身"}}, "op": "gte", "value": 2}
BUYER = {"fact": "orders.count", "op": "gte", "value": 1}


class Whole(NamedTuple):
    """Everything known of a person but the version and when it was written."""

    profile_id: str
    created_at: int
    facts: bytes
    tags: dict[str, Any]
    merged_from: tuple[str, ...]
    not_linking: bytes
    identifiers: tuple[tuple[str, str, str | None, bool], ...]


async def whole(service: Service, profile_id: str) -> Whole:
    one = decode_packed(
        await service.database.pool.fetchval(
            "SELECT snapshot FROM profile WHERE profile_id = $1", profile_id
        )
    )
    rows = await service.database.pool.fetch(
        "SELECT namespace, token, former, shared FROM identity WHERE profile_id = $1 ORDER BY 1, 2",
        profile_id,
    )
    encode = msgspec.msgpack.Encoder(order="deterministic").encode
    return Whole(
        one.profile_id,
        one.created_at,
        encode(one.facts),
        msgspec.to_builtins(one.tags),
        one.merged_from,
        encode(one.not_linking),
        tuple(map(tuple, rows)),
    )


def differing(one: Whole, other: Whole) -> dict[str, tuple[object, object]]:
    return {
        name: (getattr(one, name), getattr(other, name))
        for name in Whole._fields
        if getattr(one, name) != getattr(other, name)
    }


def a_merge(keep: str, absorb: str, at: int = START + 50 * MINUTE) -> Event:
    return an_event(
        "customer.linked", at, customer={"profile_id": keep}, event_id=f"m-{keep}-{absorb}-{at}",
        keep=keep, absorb=absorb, actor="ops",
    )  # fmt: skip


def an_unmerge(who: str, *identifiers: str, at: int = START + 51 * MINUTE) -> Event:
    return an_event(
        "customer.unlinked", at, customer={"profile_id": who}, event_id=f"u-{who}-{at}",
        identifiers=list(identifiers), actor="ops",
    )  # fmt: skip


async def owner(service: Service, namespace: str, token: str) -> str:
    return str(await service.owner(namespace, token))


async def two_people(service: Service) -> tuple[str, str]:
    """M1 with a granted consent; M2 with a phone, tags of every kind and a refusal."""
    await service.editor.put("fan", TagRuleSpec(FAN, ttl="90d"))
    await service.editor.put("buyer", TagRuleSpec(BUYER))
    await service.apply(
        a_purchase(START, total="10", customer="M1"),
        an_update(START, consents={"marketing.sms": True}, customer="M1"),
    )
    service.now += SECOND
    await service.apply(
        a_purchase(START + 1, total="20", customer={"member_id": "M2", "phone": "tok2"}),
        *[a_browse(START + n, customer="M2", category="健身", event_id=f"v{n}") for n in range(3)],
        an_update(START + 9, consents={"marketing.sms": False}, customer={"phone": "tok2"}),
    )
    second = await owner(service, "member_id", "M2")
    await service.apply(
        an_event("customer.tagged", START + 10, customer={"profile_id": second}, tag="vip")
    )
    service.now += SECOND
    return await owner(service, "member_id", "M1"), second


async def test_an_unmerge_gives_back_both_people_byte_for_byte(service: Service) -> None:
    first, second = await two_people(service)
    before = [await whole(service, each) for each in (first, second)]
    assert set(decode_snapshot_tags(before[1])) == {"fan", "buyer", "vip"}
    for turn in range(2):
        at = START + (50 + 10 * turn) * MINUTE
        service.now += HOUR
        await service.apply(a_merge(first, second, at))
        [one] = await service.people()
        assert one.facts.orders.total == 30_00
        assert one.facts.consents["marketing.sms"].granted is False
        assert set(one.tags) == {"fan", "buyer", "vip"}
        service.now += HOUR
        told = await service.apply(an_unmerge(first, "member_id:M2", "phone:tok2", at=at + MINUTE))
        for known in before:
            found = differing(known, await whole(service, known.profile_id))
            assert not found, repr(found)
        back = next(each for each in told if each.snapshot.profile_id == second)
        assert set(back.parted_from) == {first}
        assert {"fan", "vip"} <= removed(told, first)
        await service.check_plain_fold()


def decode_snapshot_tags(one: Whole) -> list[str]:
    return list(one.tags)


def removed(told: list[ProfileChanged], profile_id: str) -> set[str]:
    return {
        tag for one in told if one.snapshot.profile_id == profile_id for tag in one.tags_removed
    }


async def test_what_happened_while_they_were_one_goes_with_whom_it_came_by(
    service: Service,
) -> None:
    first, second = await two_people(service)
    await service.apply(a_merge(first, second))
    at = START + 50 * MINUTE + HOUR
    await service.apply(
        a_purchase(at, total="5", customer={"phone": "tok2"}, order_id="O-late"),
        a_browse(at, customer={"member_id": "M1", "phone": "tok2"}, event_id="both"),
        a_browse(at, customer={"phone": "tok2", "device_id": "d7"}, event_id="new"),
    )
    await service.apply(an_unmerge(first, "member_id:M2", "phone:tok2"))
    people = {one.profile_id: one for one in await service.people()}
    assert people[second].facts.orders.total == 25_00
    assert people[second].facts.seen["browse.viewed"].count == 4
    assert people[first].facts.orders.total == 10_00
    assert people[first].facts.seen["browse.viewed"].count == 1
    assert set(people[first].facts.identifiers) == {"member_id"}, "the phone is somebody else's"
    assert await service.owner("device_id", "d7") == second, "it came by the phone"
    assert people[first].not_linking["phone:tok2"].reason == PARTED
    await service.check_plain_fold()


async def test_an_alias_answers_until_it_is_somebody_again(service: Service) -> None:
    first, second = await two_people(service)
    await service.apply(a_merge(first, second))
    marker = await service.redis.get(f"p:{second}")
    assert marker.startswith(b"@" + first.encode())
    service.now += HOUR
    await service.apply(an_unmerge(first, "member_id:M2", "phone:tok2"))
    copy = decode_snapshot(await service.redis.get(f"p:{second}"))
    assert (copy.profile_id, copy.facts.orders.total) == (second, 20_00)
    assert await service.redis.get("i:phone:tok2") == second.encode()
    assert await service.database.pool.fetchval("SELECT count(*) FROM alias") == 0


async def test_what_an_operator_parted_no_event_joins_but_an_operator_may(
    service: Service,
) -> None:
    first, second = await two_people(service)
    await service.apply(a_merge(first, second))
    await service.apply(an_unmerge(first, "member_id:M2", "phone:tok2"))
    at = START + 52 * MINUTE
    anonymous = {"device_id": "d1", "phone": "tok2"}
    await service.apply(a_browse(at, customer=anonymous, event_id="x1"))
    await service.apply(
        a_browse(at, customer={"member_id": "M1", "phone": "tok2"}, event_id="x2"),
        a_browse(at, customer={"member_id": "M1", "device_id": "d1"}, event_id="x3"),
    )
    assert len(await service.people()) == 2
    kept = {one.profile_id: one for one in await service.people()}
    assert await service.owner("device_id", "d1") == second, "what is parted still links its own"
    assert "phone" not in kept[first].facts.identifiers
    assert kept[first].not_linking["phone:tok2"].reason == PARTED
    await service.check_plain_fold()
    await service.apply(a_merge(first, second, at + MINUTE))
    [one] = await service.people()
    assert set(one.facts.identifiers["phone"]) == {"tok2"}
    assert one.not_linking == {}
    assert one.facts.seen["browse.viewed"].count == 6
    await service.check_plain_fold()


async def test_somebody_in_the_middle_of_a_chain_leaves_with_those_they_had_absorbed(
    service: Service,
) -> None:
    for number in range(3):
        await service.apply(a_purchase(START + number, total="1", customer=f"M{number}"))
        service.now += SECOND
    ids = [await owner(service, "member_id", f"M{number}") for number in range(3)]
    before = {each: await whole(service, each) for each in ids}
    await service.apply(a_merge(ids[1], ids[2]))
    pair = await whole(service, ids[1])
    service.now += HOUR
    await service.apply(a_merge(ids[0], ids[1]))
    service.now += HOUR
    await service.apply(an_unmerge(ids[0], "member_id:M1", "member_id:M2"))
    assert await whole(service, ids[1]) == pair
    assert await whole(service, ids[0]) == before[ids[0]]
    service.now += HOUR
    await service.apply(a_merge(ids[0], ids[1], START + 60 * MINUTE))
    await service.apply(an_unmerge(ids[0], "member_id:M2", at=START + 61 * MINUTE))
    assert await whole(service, ids[2]) == before[ids[2]], "the innermost alone leaves as well"
    one = next(one for one in await service.people() if one.profile_id == ids[0])
    assert one.merged_from == (ids[1],)
    assert one.facts.orders.count == 2
    await service.check_plain_fold()


async def test_an_identifier_of_several_leaves_with_the_events_that_came_by_it(
    service: Service,
) -> None:
    await service.apply(
        a_browse(START, customer={"device_id": "d1"}, event_id="a"),
        a_browse(START + 1, customer={"device_id": "d1", "email": "e1"}, event_id="b"),
        a_purchase(START + 2, customer={"member_id": "M1", "email": "e1"}),
    )
    [one] = await service.people()
    await service.apply(an_unmerge(one.profile_id, "device_id:d1"))
    people = {each.profile_id: each for each in await service.people()}
    tablet = people.pop(await owner(service, "device_id", "d1"))
    [member] = people.values()
    assert tablet.profile_id != one.profile_id
    assert tablet.facts.seen["browse.viewed"].count == 1
    assert member.facts.seen["browse.viewed"].count == 1
    assert "device_id" not in member.facts.identifiers
    await service.check_plain_fold()


async def test_parting_everything_or_nothing_of_a_person_changes_nothing(service: Service) -> None:
    first, _ = await two_people(service)
    before = await whole(service, first)
    for number, named in enumerate((["member_id:M1"], ["member_id:M2"], ["shoe"], [])):
        await service.apply(an_unmerge(first, *named, at=START + 60 * MINUTE + number))
    assert await whole(service, first) == before
    assert len(await service.people()) == 2


async def test_a_tablet_shared_by_members_says_so_on_their_profiles(service: Service) -> None:
    for number in range(3):
        await service.apply(
            a_browse(
                START + number * MINUTE,
                customer={"member_id": f"M{number}", "device_id": "tablet"},
                event_id=f"t{number}",
            )
        )
    await service.apply(a_browse(START + HOUR, customer={"device_id": "tablet"}, event_id="t9"))
    people = await service.people()
    notes = [one.not_linking.get("device_id:tablet") for one in people]
    members = [bool(one.facts.identifiers.get("member_id")) for one in people]
    assert sorted(zip(members, [note and note.reason for note in notes], strict=True), key=str) == [
        (False, None), (True, "shared"), (True, "shared"), (True, "shared"),
    ]  # fmt: skip
    assert {one.facts.seen["browse.viewed"].count for one in people} == {1}
    await service.apply(
        a_browse(START + HOUR, customer={"device_id": "tablet", "email": "e9"}, event_id="e9")
    )
    assert len(await service.people()) == 5, "it links nobody"
    await service.check_plain_fold()
