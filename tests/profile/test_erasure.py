"""Somebody erased leaves nothing behind, and nothing late brings them back."""

import asyncio
import uuid
from collections.abc import AsyncIterator

import msgspec
import pytest

from tests.builders import START, a_purchase, an_event, an_update
from tests.databases import a_database
from tests.profile.harness import Service, a_service
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import HOUR, MINUTE, SECOND, moment
from zhiyin.contracts.profiles import ProfileChanged


@pytest.fixture(scope="module")
async def one_service(postgres_url: str, redis_url: str) -> AsyncIterator[Service]:
    async with a_database(postgres_url) as dsn, a_service(dsn, redis_url) as one:
        yield one


@pytest.fixture
async def service(one_service: Service) -> Service:
    """The same for all tests, emptied: nothing here needs a database of its own."""
    one_service.now = START
    await one_service.redis.flushall()
    await one_service.database.pool.execute(
        "TRUNCATE profile, alias, identity, seen_event, event, missed_copy, timer, dead_letter,"
        " erasure, tombstone"
    )
    return one_service


WHO = {"member_id": "M-erased", "phone": "ph_token-of-the-erased-one", "device_id": "device-erased"}


def received(event: Event, at: int) -> Event:
    return msgspec.structs.replace(event, received_at=moment(at))


def the_command(profile_id: str, erasure_id: str) -> Event:
    who = {"profile_id": profile_id}
    event = an_event("customer.erased", customer=who, erasure_id=erasure_id, actor="lee")
    return received(event, START)


async def erase(
    service: Service, profile_id: str, *others: Event
) -> tuple[str, list[ProfileChanged]]:
    erasure_id = str(uuid.uuid4())
    told = await service.apply(*others, the_command(profile_id, erasure_id))
    return erasure_id, told


async def somebody(service: Service) -> str:
    purchase = a_purchase(START, total="100", customer=WHO)
    update = an_update(at=START, attributes={"city": "杭州"}, customer={"member_id": "M-erased"})
    await service.apply(purchase, update)
    [person] = await service.people()
    return person.profile_id


async def everything(service: Service) -> str:
    """All rows of all tables but those of the erasure itself, as text."""
    pool = service.database.pool
    tables = await pool.fetch(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'profile'"
        " AND tablename NOT IN ('erasure', 'alembic_version') AND tablename NOT LIKE 'event\\__'"
    )
    rows = [str(await pool.fetch(f'SELECT t::text FROM "{name}" t')) for (name,) in tables]
    return "\n".join(rows)


async def test_everything_of_an_erased_person_is_gone(service: Service) -> None:
    profile_id = await somebody(service)
    assert "M-erased" in await everything(service)
    erasure_id, told = await erase(service, profile_id)
    assert await service.people() == []
    left = await everything(service)
    assert not [word for word in (*WHO.values(), profile_id, "杭州") if word in left]
    assert [(one.snapshot.profile_id, one.erased) for one in told] == [(profile_id, True)]
    assert told[0].snapshot.version == 2
    assert not told[0].snapshot.facts.identifiers
    counts = await service.database.pool.fetchval(
        "SELECT counts::text FROM erasure WHERE erasure_id = $1", erasure_id
    )
    found = msgspec.json.decode(counts)
    assert found.pop("redis.profile") == 4  # the person and three identifiers
    assert found == {
        "profile.identity": 3,
        "profile.event": 2,
        "profile.alias": 0,
        "profile.parted": 0,
        "profile.timer": 0,
        "profile.missed_copy": 0,
        "profile.profile": 1,
        "profile.dead_letter": 0,
    }
    keys = await service.redis.keys("*")
    assert keys == [f"p:{profile_id}".encode()]
    assert await service.redis.get(keys[0]) == b"@"


async def test_a_merged_person_is_erased_with_all_former_ids(service: Service) -> None:
    await service.apply(a_purchase(START, customer={"device_id": "device-former"}))
    service.now += SECOND
    await service.apply(a_purchase(START + HOUR, customer={"phone": "ph_x"}))
    both = {"device_id": "device-former", "phone": "ph_x"}
    await service.apply(a_purchase(START + 2 * HOUR, customer=both))
    [person] = await service.people()
    [former] = person.merged_from
    await erase(service, former)  # by the id they once had
    left = await everything(service)
    assert await service.people() == []
    assert not [
        word for word in (person.profile_id, former, "device-former", "ph_x") if word in left
    ]


async def test_events_under_way_do_not_bring_the_person_back(service: Service) -> None:
    profile_id = await somebody(service)
    erasure_id, _ = await erase(service, profile_id, a_purchase(START + SECOND, customer=WHO))
    late = [
        received(a_purchase(START + n * MINUTE, customer=who), START + HOUR)
        for n, who in enumerate(
            [WHO, {"phone": WHO["phone"]}, {"device_id": "device-erased", "email": "em_1"}]
        )
    ]
    assert await service.apply(*late) == []
    command = an_update(at=START, attributes={"city": "上海"}, customer={"profile_id": profile_id})
    assert await service.apply(received(command, START)) == []
    assert await service.people() == []
    assert not (await everything(service)).count("em_1")
    refused = "SELECT refused FROM erasure WHERE erasure_id = $1"
    assert await service.database.pool.fetchval(refused, erasure_id) == 4


async def test_who_comes_after_the_erasure_is_somebody_new(service: Service) -> None:
    profile_id = await somebody(service)
    erasure_id, _ = await erase(service, profile_id)
    await service.database.pool.execute(
        "UPDATE tombstone SET until = $2 WHERE erasure_id = $1", erasure_id, START + HOUR
    )
    old = received(a_purchase(START + 30 * MINUTE, customer=WHO), START + 2 * HOUR)
    waiting = received(a_purchase(START + HOUR, customer=WHO, total="7"), START + HOUR)
    new = received(a_purchase(START + HOUR + SECOND, customer=WHO, total="5"), START + 2 * HOUR)
    await service.apply(old, waiting)
    assert await service.people() == []
    await service.apply(new)
    [person] = await service.people()
    assert person.profile_id != profile_id
    assert person.facts.orders.total == 5_00
    await service.check_plain_fold()


async def test_a_device_of_the_erased_person_leaves_others_alone(service: Service) -> None:
    """Both members used the tablet, which belongs to the first of them."""
    await service.apply(a_purchase(START, customer="M-other"))
    await service.apply(a_purchase(START, customer={"member_id": "M-1", "device_id": "tablet"}))
    first = await service.owner("member_id", "M-1")
    assert first is not None
    await erase(service, first)
    both = {"member_id": "M-other", "device_id": "tablet"}
    await service.apply(received(a_purchase(START + MINUTE, customer=both), START + MINUTE))
    [other] = await service.people()
    assert other.facts.orders.count == 2


async def test_erasing_somebody_who_is_gone_is_no_dead_letter(service: Service) -> None:
    profile_id = await somebody(service)
    await erase(service, profile_id)
    erasure_id, told = await erase(service, profile_id)
    assert told == []
    row = await service.database.pool.fetchrow(
        "SELECT counts::text, remains FROM erasure WHERE erasure_id = $1", erasure_id
    )
    assert row["counts"] == "{}"


async def test_dead_letters_of_an_erased_person_go_too(service: Service) -> None:
    profile_id = await somebody(service)
    insert = """INSERT INTO dead_letter (topic, partition, "offset", key, value, headers, code,
        reason) VALUES ('events.custom', 0, 0, $1, $2, '\\x90', 'raised', 'because')"""
    letters = [
        ("member_id:M-erased", b"{}"),
        ("k", b'{"customer": {"member_id": "M-erased"}}'),
        ("k", b'{"customer":{"phone":"ph_token-of-the-erased-one"}}'),
        ("k", b'{"customer":{"member_id":"M-erased-not"}}'),
    ]
    await service.database.pool.executemany(insert, letters)
    await erase(service, profile_id)
    left = await service.database.pool.fetch("SELECT value FROM dead_letter")
    assert [value for (value,) in left] == [letters[3][1]]


async def test_racing_batches_leave_nobody_behind(service: Service) -> None:
    """Events on four partitions at once, with the erasure among them."""
    profile_id = await somebody(service)
    who = [{"member_id": "M-erased"}, {"phone": WHO["phone"]}, {"device_id": "device-erased"}, WHO]

    async def lane(number: int) -> list[ProfileChanged]:
        told = []
        for n in range(6):
            event = a_purchase(
                START + (1 + n) * MINUTE, customer=who[number], total=f"{number + 1}"
            )
            told += await service.apply(received(event, START))
        return told

    async def erasing() -> None:
        await erase(service, profile_id)

    await asyncio.gather(*(lane(number) for number in range(2)), erasing(), lane(2), lane(3))
    assert await service.people() == []
    left = await everything(service)
    assert not [word for word in (*WHO.values(), profile_id) if word in left]
