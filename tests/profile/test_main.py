"""The command line, and two whole workers side by side on the event log."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.profile.hot_copies import HotCopies
from services.profile.main import build_worker, main, migrate_all, open_database
from tests.builders import START, a_browse, a_purchase, a_refund
from tests.profile.harness import Service
from zhiyin.contracts.events import Event, encode_event, event_key
from zhiyin.contracts.instants import HOUR
from zhiyin.contracts.profiles import decode_profile_changed
from zhiyin.contracts.topics import EVENTS, PROFILE_CHANGED, topic_of
from zhiyin.runtime.log import EventLog, Message, Partition
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.redis import connect
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.worker import Worker

PEOPLE = 40


def test_a_wrong_command_or_a_missing_setting_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ZHIYIN_POSTGRES", raising=False)
    for arguments in ([], ["fly"], ["serve", "now"], ["serve"], ["migrate"]):
        assert main(arguments) == 2
        assert capsys.readouterr().err.count("\n") == 1


@pytest.fixture
def settings(fresh_database: str, fresh_redis: str) -> ServiceSettings:
    return ServiceSettings(
        postgres=fresh_database, redis=fresh_redis, secret_key="k" * 16, partitions=4, lanes=2
    )


@asynccontextmanager
async def a_worker(settings: ServiceSettings, name: str) -> AsyncIterator[Worker]:
    log = open_log(settings)
    await log.start()
    database = open_database(settings)
    await database.open()
    redis = connect(settings.redis)
    hot = HotCopies(redis, database)
    telemetry = Telemetry("profile", name)
    worker = build_worker(settings, log, database, hot, telemetry, settings.partitions)
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.stop()
        await running
        await redis.aclose()
        await database.close()
        await log.stop()


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    for _ in range(int(seconds / 0.1)):
        if await true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("not within the time given")


def traffic(chance: random.Random) -> list[Event]:
    """Every person on an anonymous device, by phone and as a member, linked some time."""
    events: list[Event] = []
    for n in range(PEOPLE):
        member, phone, device = f"M{n}", f"p{n}", f"d{n}"
        events += [
            a_browse(START, customer={"device_id": device}),
            a_purchase(START + HOUR, customer={"phone": phone}, order_id=f"O{n}", total="50"),
            a_purchase(START + 2 * HOUR, customer=member, order_id=f"Q{n}", total="30"),
            a_refund(START + 3 * HOUR, customer=member, order_id=f"O{n}", amount="20"),
            a_browse(START + 4 * HOUR, customer={"member_id": member, "phone": phone}),
            a_browse(START + 5 * HOUR, customer={"phone": phone, "device_id": device}),
        ]
    events += chance.sample(events, len(events) // 20)
    chance.shuffle(events)
    return events


async def told(log: EventLog) -> list[tuple[str, int]]:
    """(profile_id, version) of everything on the topic, by partition and offset."""
    found = []
    consumer = log.consumer("reader", [PROFILE_CHANGED])
    for partition, end in (await log.ends([PROFILE_CHANGED])).items():
        for offset in range(end):
            record = await consumer.read_one(Partition(*partition), offset)
            assert record is not None
            change = decode_profile_changed(record.value)
            found.append((change.snapshot.profile_id, change.snapshot.version))
    return found


async def test_two_workers_make_one_profile_of_each_person(settings: ServiceSettings) -> None:
    await migrate_all(settings)
    log = open_log(settings)
    await log.start()
    await log.ensure_topics([*EVENTS, PROFILE_CHANGED], settings.partitions)
    database = open_database(settings)
    await database.open()
    redis = connect(settings.redis)
    reader = Service(database, redis, HotCopies(redis, database))
    try:
        async with a_worker(settings, "one") as one, a_worker(settings, "two") as two:

            async def shared() -> bool:
                return len(one.owned | two.owned) == 4 and min(map(len, (one.owned, two.owned))) > 0

            await until(shared)
            messages = [
                Message(topic_of(event.type), event_key(event.customer), encode_event(event))
                for event in traffic(random.Random(3))
            ]
            for start in range(0, len(messages), 25):
                await log.append([*messages[start : start + 25], _broken(start)])

            async def applied() -> bool:
                ends = await log.ends(EVENTS)
                rows = await database.pool.fetch("SELECT topic, partition, next FROM position")
                positions = {(topic, number): offset for topic, number, offset in rows}
                return all(positions.get(tuple(at), 0) == end for at, end in ends.items())

            await until(applied)
            people = await reader.people()
            assert len(people) == PEOPLE
            assert {person.facts.orders.total for person in people} == {60_00}
            assert {person.facts.seen["browse.viewed"].count for person in people} == {3}
            await reader.check_plain_fold()
            broken = await database.pool.fetchval("SELECT count(*) FROM dead_letter")
            assert broken == len(range(0, len(messages), 25))

            async def hot() -> bool:
                rows = await database.pool.fetch("SELECT profile_id, snapshot FROM profile")
                return all([await redis.get(f"p:{who}") == packed for who, packed in rows])

            await until(hot)

            async def published() -> bool:
                newest = {person.profile_id: person.version for person in people}
                return newest.items() <= dict(sorted(await told(log))).items()

            await until(published)
            said = await told(log)
            assert len(said) == len(set(said)), "each version is told once"
    finally:
        await redis.aclose()
        await database.close()
        await log.stop()


def _broken(number: int) -> Message:
    return Message("events.custom", f"member_id:M{number}", b'{"event_id": 7}')
