"""Two whole processes' worth of engagement on the event log: workers, deliverers, partitions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from services.engagement.main import open_database
from services.engagement.parts import Engagement, Outside, compose
from services.engagement.settings import EngagementSettings
from tests.builders import a_purchase
from tests.engagement.harness import PARTITIONS, SECRET, Instance, a_change, reachable, record_of
from tests.engagement.receiver import a_receiver, until
from tests.engagement.test_delivery import a_channel
from zhiyin.contracts.instants import MINUTE
from zhiyin.contracts.topics import PROFILE_CHANGED, TOPICS
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.http import http_client
from zhiyin.runtime.log import Message
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry

PEOPLE = 60


@asynccontextmanager
async def a_process(postgres: str, name: str) -> AsyncIterator[Engagement]:
    service = ServiceSettings(
        postgres=postgres,
        redis="",
        secret_key=SECRET,
        instance=name,
        partitions=PARTITIONS,
        webhook_allow=("127.0.0.1",),
        session_seconds=2.0,
    )
    db, log, client = open_database(service), open_log(service), http_client(timeout=1.0)
    await db.open()
    await log.start()
    settings, telemetry = EngagementSettings(service=service), Telemetry("engagement", name)
    parts = compose(Outside(settings, telemetry, log, db, client, PARTITIONS))
    working = [asyncio.create_task(parts.worker.run()), asyncio.create_task(parts.deliverer.run())]
    try:
        yield parts
    finally:
        await parts.worker.stop()
        await parts.deliverer.stop()
        await asyncio.gather(*working)
        await client.aclose()
        await log.stop()
        await db.close()


async def test_two_workers_act_once_for_everybody_though_one_leaves_half_way(
    database: str, instance: Instance
) -> None:
    instance.now = wall_clock()
    bought = a_purchase(instance.now - MINUTE, total="300.00")
    log = open_log(ServiceSettings(postgres=database, redis="", secret_key=SECRET))
    await log.start()
    await log.ensure_topics([topic.name for topic in TOPICS], PARTITIONS)
    messages = [
        Message(PROFILE_CHANGED, record.key, record.value)
        for number in range(PEOPLE)
        for record in [
            record_of(a_change([bought], profile_id=f"p-{number}", identifiers=reachable()))
        ]
    ]
    async with a_receiver() as receiver:
        for channel in ("sms", "inbox"):
            await a_channel(instance, receiver, channel)
        await instance.fetch("UPDATE catalog SET pressure = $1", b'{"caps":[],"quiet_hours":null}')
        await instance.fetch("UPDATE catalog SET experiments = $1", b'{"default_holdout":0}')
        await instance.fetch("UPDATE catalog SET revision = revision + 1")
        async with a_process(database, "one"):
            async with a_process(database, "two"):
                await log.append(messages[: PEOPLE // 2])
                await until(lambda: receiver.taken.total() > PEOPLE // 4, 30)
            await log.append([*messages[PEOPLE // 2 :], *messages])
            await until(lambda: receiver.taken.total() >= PEOPLE, 30)
    await log.stop()
    assert set(receiver.taken.values()) == {1}
    assert receiver.taken.total() == PEOPLE
    rows = await instance.fetch("SELECT count(*), count(DISTINCT profile_id) FROM coupon")
    assert tuple(rows[0]) == (PEOPLE, PEOPLE)
    assert await instance.fetch("SELECT * FROM dead_letter") == []
