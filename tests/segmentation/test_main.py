"""Two whole workers side by side on the event log."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.segmentation import reads
from services.segmentation.hot_copies import HotCopies
from services.segmentation.main import SERVICE, build_worker, migrate_all
from tests.segmentation.people import Happening, Life, purchase
from tests.workers import connected, records, running, until, until_shared
from zhiyin.contracts.instants import DAY, SECOND
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.segments import decode_segment_changed
from zhiyin.contracts.topics import PROFILE_CHANGED, SEGMENT_CHANGED
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.log import EventLog, Message
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.worker import Worker

PEOPLE = 200


@asynccontextmanager
async def a_worker(settings: ServiceSettings, name: str) -> AsyncIterator[Worker]:
    async with connected(settings, SERVICE) as to:
        hot = HotCopies(to.redis, to.database)
        worker = build_worker(settings, to.log, to.database, hot, Telemetry(SERVICE, name))
        async with running(worker):
            yield worker


def message(life: Life, event: Happening) -> Message:
    changed = life.message([event])
    return Message(PROFILE_CHANGED, life.profile_id, encode(changed))


async def sizes(database: Database) -> dict[str, int]:
    async with database.connection() as connection:
        return {row.key: row.members for row in await reads.segments(connection) if row.live}


async def told(log: EventLog) -> Counter[tuple[str, str]]:
    """How often each (segment, change) is on the topic."""
    changes = [decode_segment_changed(at.value) for at in await records(log, SEGMENT_CHANGED)]
    return Counter((change.segment, change.change) for change in changes)


async def test_two_workers_share_the_people_and_time_moves_them_once(
    settings: ServiceSettings,
) -> None:
    await migrate_all(settings)
    await migrate_all(settings)
    async with connected(settings, SERVICE) as to:
        await to.log.ensure_topics([PROFILE_CHANGED, SEGMENT_CHANGED], settings.partitions)
        async with a_worker(settings, "one") as one, a_worker(settings, "two") as two:
            await until_shared(one, two, settings.partitions)
            bought = purchase(wall_clock() - 90 * DAY + 3 * SECOND)
            lives = [Life(f"p-{number:03}").then(bought) for number in range(PEOPLE)]
            await to.log.append([message(life, bought) for life in lives])

            async def arrived() -> bool:
                return (await sizes(to.database)).get("churn-warning") == PEOPLE

            await until(arrived)

            async def dormant() -> bool:
                return (await sizes(to.database)).get("dormant-90d") == PEOPLE

            await until(dormant)

            async def published() -> bool:
                return (await told(to.log)).total() >= 2 * PEOPLE

            await until(published)
            assert await told(to.log) == {
                ("churn-warning", "entered"): PEOPLE,
                ("dormant-90d", "entered"): PEOPLE,
            }
