"""A service that counts things, for tests of the runtime: as small as a service can be."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Fire, Outcome, Outgoing, Rejected, Timer
from zhiyin.runtime.context import WorkerOptions
from zhiyin.runtime.db import Database
from zhiyin.runtime.log import EventLog, Message, Record, partition_of
from zhiyin.runtime.log.postgres import PostgresLog
from zhiyin.runtime.migrate import migrate
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.worker import Worker

MIGRATIONS = Path(__file__).parent / "migrations"
PARTITIONS = 4
THINGS = "things"
OTHERS = "others"
COUNTED = "things.counted"
QUICK = WorkerOptions(partitions=PARTITIONS, lanes=2, timer_poll=0.1, sweep=0.1, regain=1.0)


async def count(tx: Any, records: Sequence[Record]) -> Outcome:
    """Counts names. `raise` raises, `reject` is rejected."""
    rejected = [Rejected(r, "unwanted", "as asked") for r in records if r.value == b"reject"]
    if any(record.value == b"raise" for record in records):
        raise ValueError("as asked")
    names = Counter(r.value.decode() for r in records if r.value != b"reject")
    await tx.executemany(
        "INSERT INTO thing VALUES ($1, $2)"
        " ON CONFLICT (name) DO UPDATE SET count = thing.count + excluded.count",
        sorted(names.items()),
    )
    return Outcome([_counted(r) for r in records if r.value != b"reject"], rejected)


def _counted(record: Record) -> Outgoing:
    id_ = uuid.uuid5(uuid.NAMESPACE_OID, f"{record[:3]}")
    return Outgoing(id_, record.partition, Message(COUNTED, record.key, record.value))


class Fired:
    """A handler that remembers what fired, in the database and when."""

    async def __call__(self, tx: Any, due: Sequence[Timer], now: Instant) -> Outcome:
        if any(timer.payload == b"raise" for timer in due):
            raise ValueError("as asked")
        await tx.executemany(
            "INSERT INTO thing VALUES ($1, 1) ON CONFLICT (name) DO UPDATE"
            " SET count = thing.count + 1",
            [(timer.key,) for timer in due],
        )
        assert all(timer.due_at <= now for timer in due)
        return Outcome()


class Bench:
    """A database, a log and workers on them."""

    def __init__(self, dsn: str, log: EventLog, db: Database) -> None:
        self.dsn = dsn
        self.log = log
        self.db = db
        self.suffix = ""

    @property
    def things(self) -> str:
        """The topic of things; with a suffix of its own where a broker is shared."""
        return THINGS + self.suffix

    async def make_topics(self) -> None:
        await self.log.ensure_topics([self.things, OTHERS + self.suffix, COUNTED], PARTITIONS)

    @asynccontextmanager
    async def worker(
        self,
        apply: Any = count,
        fire: Mapping[str, Fire] | None = None,
        options: WorkerOptions = QUICK,
        **others: Any,
    ) -> AsyncIterator[Worker]:
        telemetry = Telemetry("counting", "counting-1")
        worker = Worker(
            "counting" + self.suffix,
            [self.things, OTHERS + self.suffix],
            self.log,
            others.pop("db", self.db),
            apply,
            fire or {},
            telemetry,
            options=options,
            **others,
        )
        running = asyncio.create_task(worker.run())
        try:
            yield worker
            if running.done():
                running.result()
        finally:
            await worker.stop()
            await asyncio.gather(running, return_exceptions=True)

    async def send(self, *values: str, topic: str = THINGS, key: str | None = None) -> None:
        name = topic + self.suffix
        await self.log.append([Message(name, key or v, v.encode()) for v in values])

    async def counts(self) -> dict[str, int]:
        rows = await self.db.pool.fetch("SELECT name, count FROM thing")
        return dict(tuple(row) for row in rows)

    async def published(self) -> list[str]:
        """The values on the topic of results, in order per partition."""
        found: list[str] = []
        consumer = self.log.consumer("outside", [COUNTED])
        for partition, end in (await self.log.ends([COUNTED])).items():
            for offset in range(end):
                record = await consumer.read_one(partition, offset)
                assert record is not None
                found.append(record.value.decode())
        return found

    async def dead(self) -> list[tuple[str, str]]:
        rows = await self.db.pool.fetch("SELECT code, value FROM dead_letter ORDER BY id")
        return [(code, value.decode(errors="replace")) for code, value in rows]

    async def eventually(self, holds: Callable[[], Any], seconds: float = 10.0) -> None:
        async with asyncio.timeout(seconds):
            while not await holds():
                await asyncio.sleep(0.02)

    async def until_owned(self, worker: Worker, numbers: int) -> None:
        async def owned() -> bool:
            return len(worker.owned) == numbers

        await self.eventually(owned, 20)

    async def until_halted(self, worker: Worker) -> None:
        async def halted() -> bool:
            return worker.status().halted is not None

        await self.eventually(halted, 20)

    async def until_published(self) -> None:
        async def empty() -> bool:
            return await self.db.pool.fetchval("SELECT count(*) = 0 FROM outbox")

        await self.eventually(empty)

    async def until_counted(self, total: int) -> None:
        async def counted() -> bool:
            return sum((await self.counts()).values()) >= total

        await self.eventually(counted)


def number_of(key: str) -> int:
    return partition_of(key, PARTITIONS)


async def make_bench(dsn: str) -> Bench:
    await migrate(dsn, "counting", MIGRATIONS)
    log = PostgresLog(dsn, lease=1.5)
    await log.start()
    await log.ensure_topics([THINGS, OTHERS, COUNTED], PARTITIONS)
    db = Database(dsn, "counting", "zhiyin_counting")
    await db.open()
    return Bench(dsn, log, db)
