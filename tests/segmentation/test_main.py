"""The command line, and two whole workers side by side on the event log."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from services.segmentation import reads
from services.segmentation.hot_copies import HotCopies
from services.segmentation.main import build_worker, main, migrate_all, open_database
from tests.segmentation.people import Happening, Life, purchase
from zhiyin.contracts.instants import DAY, SECOND
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.segments import decode_segment_changed
from zhiyin.contracts.topics import PROFILE_CHANGED, SEGMENT_CHANGED
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.log import EventLog, Message, Partition
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.redis import connect
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.worker import Worker

PEOPLE = 200


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
    worker = build_worker(settings, log, database, hot, Telemetry("segmentation", name))
    running = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.stop()
        await running
        await redis.aclose()
        await database.close()
        await log.stop()


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 20) -> None:
    for _ in range(int(seconds / 0.1)):
        if await true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("not within the time given")


def message(life: Life, event: Happening) -> Message:
    changed = life.message([event])
    return Message(PROFILE_CHANGED, life.profile_id, encode(changed))


async def sizes(database: Database) -> dict[str, int]:
    async with database.connection() as connection:
        return {row.key: row.members for row in await reads.segments(connection) if row.live}


async def told(log: EventLog) -> list[tuple[str, str]]:
    """(segment, change) of everything on the topic, by partition and offset."""
    found = []
    for partition, end in (await log.ends([SEGMENT_CHANGED])).items():
        consumer = log.consumer("reader", [SEGMENT_CHANGED])
        for offset in range(end):
            record = await consumer.read_one(Partition(*partition), offset)
            assert record is not None
            change = decode_segment_changed(record.value)
            found.append((change.segment, change.change))
    return found


async def test_two_workers_share_the_people_and_time_moves_them_once(
    settings: ServiceSettings,
) -> None:
    await migrate_all(settings)
    await migrate_all(settings)
    log = open_log(settings)
    await log.start()
    await log.ensure_topics([PROFILE_CHANGED, SEGMENT_CHANGED], settings.partitions)
    database = open_database(settings)
    await database.open()
    try:
        async with a_worker(settings, "one") as one, a_worker(settings, "two") as two:

            async def shared() -> bool:
                return len(one.owned | two.owned) == 4 and min(map(len, (one.owned, two.owned))) > 0

            await until(shared, 40)
            bought = purchase(wall_clock() - 90 * DAY + 3 * SECOND)
            lives = [Life(f"p-{number:03}").then(bought) for number in range(PEOPLE)]
            await log.append([message(life, bought) for life in lives])

            async def arrived() -> bool:
                return (await sizes(database)).get("churn-warning") == PEOPLE

            await until(arrived)

            async def dormant() -> bool:
                return (await sizes(database)).get("dormant-90d") == PEOPLE

            await until(dormant)

            async def published() -> bool:
                return len(await told(log)) == 2 * PEOPLE

            await until(published)
            assert (
                sorted(await told(log))
                == [("churn-warning", "entered")] * PEOPLE + [("dormant-90d", "entered")] * PEOPLE
            )
    finally:
        await database.close()
        await log.stop()
