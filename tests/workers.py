"""Whole workers on the event log: what their tests need to start them and to see them work."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import redis.asyncio

from zhiyin.runtime.db import Database
from zhiyin.runtime.log import EventLog, Partition, Record
from zhiyin.runtime.log.opening import open_log
from zhiyin.runtime.migrate import role_of
from zhiyin.runtime.redis import connect
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.worker import Worker


@dataclass(frozen=True, slots=True)
class Servers:
    """Connections of one process."""

    log: EventLog
    database: Database
    redis: redis.asyncio.Redis


@asynccontextmanager
async def connected(settings: ServiceSettings, service: str) -> AsyncIterator[Servers]:
    log = open_log(settings)
    database = Database(settings.postgres, service, role_of(service))
    client = connect(settings.redis)
    await log.start()
    await database.open()
    try:
        yield Servers(log, database, client)
    finally:
        await client.aclose()
        await database.close()
        await log.stop()


@asynccontextmanager
async def running(worker: Worker) -> AsyncIterator[Worker]:
    work = asyncio.create_task(worker.run())
    try:
        yield worker
    finally:
        await worker.stop()
        await work


async def until(true: Callable[[], Awaitable[bool]], seconds: float = 60) -> None:
    for _ in range(int(seconds / 0.1)):
        if await true():
            return
        await asyncio.sleep(0.1)
    raise AssertionError("not within the time given")


async def until_shared(one: Worker, two: Worker, partitions: int) -> None:
    """Until both have some of the partitions, and together all."""

    async def shared() -> bool:
        return len(one.owned | two.owned) == partitions and bool(one.owned) and bool(two.owned)

    await until(shared)


async def records(log: EventLog, topic: str) -> list[Record]:
    """Everything on a topic, by partition and offset."""
    found = []
    consumer = log.consumer("reader", [topic])
    for partition, end in (await log.ends([topic])).items():
        for offset in range(end):
            record = await consumer.read_one(Partition(*partition), offset)
            assert record is not None
            found.append(record)
    return found
