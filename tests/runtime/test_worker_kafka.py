"""The same worker on Apache Kafka."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from tests.runtime.counting import Bench, make_bench
from zhiyin.runtime.log.kafka import KafkaLog
from zhiyin.runtime.worker import Halted

pytestmark = pytest.mark.kafka


@pytest.fixture
async def bench(fresh_database: str, kafka_url: str) -> AsyncIterator[Bench]:
    bench = await make_bench(fresh_database)
    await bench.log.stop()
    bench.log = KafkaLog(kafka_url, session=6.0)
    bench.suffix = uuid.uuid4().hex[:8]
    await bench.make_topics()
    yield bench
    await bench.log.stop()
    await bench.db.close()


async def test_records_count_once_while_members_come_and_go(bench: Bench) -> None:
    values = [f"n{i % 13}" for i in range(500)]
    await bench.send(*values)
    async with bench.worker() as stays:
        await bench.until_owned(stays, 4)
        async with bench.worker() as leaves:
            await bench.until_owned(leaves, 2)
            await bench.until_owned(stays, 2)
            await bench.send(*values)
            await bench.until_counted(1000)
        await bench.until_owned(stays, 4)
        await bench.send(*values)
        await bench.until_counted(1500)
        await bench.until_published()
    assert await bench.counts() == Counter([*values, *values, *values])
    assert len(await bench.published()) >= 1500


async def test_a_recreated_topic_halts_the_worker(bench: Bench, kafka_url: str) -> None:
    await bench.send("a", "b", key="k")
    async with bench.worker():
        await bench.until_counted(2)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka_url)
    await admin.start()
    await admin.delete_topics([bench.things])
    await asyncio.sleep(1)
    await admin.close()
    await bench.make_topics()
    await bench.send("x", "y", "z", key="k")
    with pytest.raises(Halted, match="truncated or recreated"):
        async with bench.worker() as worker:
            await bench.until_halted(worker)
    assert "x" not in await bench.counts()
