"""Events become profiles, in PostgreSQL, once, whoever they turn out to belong to."""

import msgspec

from services.profile.domain.packed import decode_packed
from tests.builders import START, a_browse, a_purchase, a_refund, an_event, an_update
from tests.profile.harness import Service
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, SECOND
from zhiyin.contracts.profiles import decode_snapshot


async def test_one_message_per_person_and_batch_with_all_its_causes(service: Service) -> None:
    told = await service.apply(
        a_purchase(START, total="100", customer="M1"),
        a_browse(START + MINUTE, customer="M1"),
        a_purchase(START, total="7", customer="M2"),
    )
    assert sorted(len(one.cause) for one in told) == [1, 2]
    both = next(one for one in told if len(one.cause) == 2)
    assert both.snapshot.version == 1
    assert both.snapshot.facts.orders.total == 100_00
    assert {"orders", "reorder", "browse", "profile", "identifiers"} <= set(both.changed)
    assert {"events.purchase.completed", "categories.坚果"} <= set(both.changed)


async def test_the_same_event_twice_counts_once(service: Service) -> None:
    once = a_purchase(START, customer="M1")
    await service.apply(once, once)
    assert await service.apply(once) == []
    [person] = await service.people()
    assert person.facts.orders.count == 1


async def test_a_bad_record_is_rejected_and_the_rest_applied(service: Service) -> None:
    good = a_purchase(START, customer="M1")
    foreign = an_event("purchase.completed", START, order_id="O", total="1", currency="USD")
    bad = [
        service.record(b"not json"),
        service.record(b'{"event_id":"1","type":"x.y","occurred_at":"2026-03-01T00:00:00Z"}'),
        service.record(msgspec.json.encode(foreign)),
        service.record(
            msgspec.json.encode(an_event("custom.big", START, number=1)).replace(
                b'"number":1', b'"number":' + b"9" * 40
            )
        ),
    ]
    outcome = await service.handle([*bad, service.record(msgspec.json.encode(good))])
    assert [one.code for one in outcome.rejected] == [
        "malformed",
        "malformed",
        "unsupported_currency",
        "invalid_properties",
    ]
    assert len(await service.people()) == 1


async def test_a_login_joins_the_anonymous_visits_to_the_member(service: Service) -> None:
    await service.apply(a_browse(START, customer={"device_id": "d1"}))
    service.now += SECOND
    await service.apply(a_purchase(START + HOUR, customer="M1"))
    old, young = await service.people()
    service.now += SECOND
    told = await service.apply(
        a_browse(START + 2 * HOUR, customer={"member_id": "M1", "device_id": "d1"})
    )
    [person] = await service.people()
    assert person.profile_id == old.profile_id, "the older id is kept"
    assert person.merged_from == (young.profile_id,)
    assert person.facts.seen["browse.viewed"].count == 2
    assert person.facts.orders.count == 1
    assert await service.owner("member_id", "M1") == old.profile_id
    gone = next(one for one in told if one.merged_into)
    assert (gone.snapshot.profile_id, gone.merged_into) == (young.profile_id, old.profile_id)
    assert gone.snapshot.version == young.version + 1
    await service.check_plain_fold()


async def test_a_refund_of_an_order_long_ago_is_told_from_the_event_log(service: Service) -> None:
    await service.apply(a_purchase(START, order_id="O-1", total="80", customer="M1"))
    service.now = START + 500 * DAY
    await service.apply(a_purchase(service.now, order_id="O-2", total="20", customer="M1"))
    await service.apply(a_refund(service.now, order_id="O-1", amount="30", customer="M1"))
    [person] = await service.people()
    assert person.facts.orders.total == 70_00
    assert person.facts.orders.refunded == 30_00
    await service.check_plain_fold()


async def test_the_stricter_consent_wins_after_a_merge(service: Service) -> None:
    await service.apply(
        an_update(START, consents={"marketing.sms": False}, customer={"device_id": "d1"})
    )
    await service.apply(
        an_update(START + HOUR, consents={"marketing.sms": True}, customer={"member_id": "M1"})
    )
    await service.apply(a_browse(START + 2 * HOUR, customer={"member_id": "M1", "device_id": "d1"}))
    [person] = await service.people()
    assert person.facts.consents["marketing.sms"].granted is False
    await service.check_plain_fold()
    await service.apply(
        an_update(START + 3 * HOUR, consents={"marketing.sms": True}, customer="M1")
    )
    [person] = await service.people()
    assert person.facts.consents["marketing.sms"].granted is True, "asked again, they agreed"


async def test_the_stricter_consent_wins_within_one_batch_too(service: Service) -> None:
    await service.apply(
        an_update(START, consents={"marketing.sms": False}, customer={"device_id": "d1"}),
        an_update(START + HOUR, consents={"marketing.sms": True}, customer={"member_id": "M1"}),
        a_browse(START + 2 * HOUR, customer={"member_id": "M1", "device_id": "d1"}),
    )
    [person] = await service.people()
    assert person.facts.consents["marketing.sms"].granted is False


async def test_an_operator_merges_and_parts_people(service: Service) -> None:
    await service.apply(
        a_purchase(START, total="10", customer={"member_id": "M1"}),
        a_purchase(START + 1, total="20", customer={"member_id": "M2", "phone": "tok2"}),
        an_event("browse.viewed", START + 2, customer={"phone": "tok2"}, category="健身"),
    )
    first = str(await service.owner("member_id", "M1"))
    second = str(await service.owner("member_id", "M2"))
    await service.apply(
        an_event(
            "customer.linked", START + 3, customer={"profile_id": first},
            keep=first, absorb=second, actor="ops",
        )
    )  # fmt: skip
    [one] = await service.people()
    assert one.profile_id == first
    assert one.facts.orders.count == 2
    told = await service.apply(
        an_event(
            "customer.unlinked", START + 4, customer={"profile_id": second},
            identifiers=["member_id:M2", "phone:tok2"],
        )
    )  # fmt: skip
    people = {one.profile_id: one for one in await service.people()}
    parted = people[str(await service.owner("member_id", "M2"))]
    assert people[first].facts.orders.total == 10_00
    assert set(people[first].facts.identifiers) == {"member_id"}
    assert parted.facts.orders.total == 20_00
    assert parted.facts.seen["browse.viewed"].count == 1
    assert set(parted.facts.identifiers) == {"member_id", "phone"}
    assert len(told) == 2
    await service.check_plain_fold()
    await service.apply(
        a_browse(START + 5, customer={"member_id": "M1", "phone": "tok2"}, event_id="again")
    )
    assert len(await service.people()) == 2, "what was parted stays parted"


async def test_a_command_about_nobody_is_rejected_and_may_come_again(service: Service) -> None:
    lost = an_event("customer.tagged", START, customer={"profile_id": "nobody"}, tag="vip")
    record = service.record(msgspec.json.encode(lost))
    for _ in range(2):
        outcome = await service.handle([record])
        assert [one.code for one in outcome.rejected] == ["unknown_profile"]


async def test_hot_copies_hold_the_newest_version_and_aliases(service: Service) -> None:
    await service.apply(a_browse(START, customer={"device_id": "d1"}))
    await service.apply(a_purchase(START, customer="M1"))
    old, young = sorted(await service.people(), key=lambda one: (one.created_at, one.profile_id))
    await service.apply(a_browse(START + 1, customer={"member_id": "M1", "device_id": "d1"}))
    kept = await service.redis.get(f"p:{old.profile_id}")
    assert decode_snapshot(kept).version == 2
    alias = f"@{old.profile_id}/{young.version + 1}"
    assert await service.redis.get(f"p:{young.profile_id}") == alias.encode()
    assert await service.redis.get("i:device_id:d1") in (
        old.profile_id.encode(),
        young.profile_id.encode(),
    )
    row = await service.database.pool.fetchval("SELECT snapshot FROM profile")
    assert kept == row
    assert decode_packed(row).version == 2
