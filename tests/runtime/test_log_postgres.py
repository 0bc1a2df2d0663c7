"""The event log in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from tests.runtime.log_contract import PARTITIONS, LogContract, eventually, messages, read
from zhiyin.embedded.postgres import Postgres
from zhiyin.runtime.log import EventLog, LogConsumer, Message, OffsetOutOfRange, Partition
from zhiyin.runtime.log.postgres import PostgresLog
from zhiyin.runtime.migrate import migrate

MIGRATIONS = Path(__file__).parent / "migrations"


@pytest.fixture
async def log(fresh_database: str) -> AsyncIterator[EventLog]:
    await migrate(fresh_database, "counting", MIGRATIONS)
    log = PostgresLog(fresh_database, lease=1.5)
    await log.start()
    yield log
    await log.stop()


@pytest.fixture
async def away(tmp_path: Path) -> AsyncIterator[EventLog]:
    """A log whose server has been stopped."""
    other_server = Postgres(tmp_path / "postgres", tmp_path / "postgres.log")
    other_server.start()
    await migrate(other_server.dsn, "counting", MIGRATIONS)
    log = PostgresLog(other_server.dsn, append_timeout=3.0)
    await log.start()
    await log.ensure_topics(["any"], PARTITIONS)
    await log.append([Message("any", "k", b"v")])
    await asyncio.to_thread(other_server.stop)
    yield log
    await log.stop()


class TestPostgresLog(LogContract):
    async def test_writers_at_once_leave_no_gap_and_do_not_deadlock(
        self, log: EventLog, fresh_database: str, topics: tuple[str, str]
    ) -> None:
        other = PostgresLog(fresh_database)
        await other.start()
        try:
            writers = [
                writer.append(messages(topic, 20))
                for _ in range(20)
                for topic in topics
                for writer in (log, other)
            ]
            positions = [p for found in await asyncio.gather(*writers) for p in found]
        finally:
            await other.stop()
        ends = await log.ends(topics)
        assert sum(ends.values()) == len(positions) == 1600
        for partition, end in ends.items():
            assert sorted(p.offset for p in positions if p[:2] == partition) == list(range(end))

    async def test_a_dead_members_partitions_are_taken_over(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        dead, first = await self.join(log, topics, consumers)
        await eventually(lambda: len(first.numbers) == PARTITIONS)
        for task in dead._tasks:  # type: ignore[attr-defined]
            task.cancel()
        _, second = await self.join(log, topics, consumers)
        await eventually(lambda: len(second.numbers) == PARTITIONS, 5)

    async def test_a_truncated_log_is_out_of_range(
        self,
        log: EventLog,
        fresh_database: str,
        topics: tuple[str, str],
        consumers: list[LogConsumer],
    ) -> None:
        await log.append(messages(topics[0], 100))
        consumer, member = await self.join(log, topics, consumers)
        await eventually(lambda: len(member.held) == 2 * PARTITIONS)
        await read(consumer, frozenset(member.held), 100)
        admin = await asyncpg.connect(fresh_database)
        await admin.execute("UPDATE log.head SET next = 0; TRUNCATE log.chunk")
        await admin.close()
        with pytest.raises(OffsetOutOfRange):
            await read(consumer, frozenset(member.held), 1)

    async def test_days_past_retention_are_dropped_and_their_offsets_stay_used(
        self, log: EventLog, fresh_database: str, topics: tuple[str, str]
    ) -> None:
        await log.append([Message(topics[0], "k", b"old")])
        admin = await asyncpg.connect(fresh_database)
        await admin.execute(
            "CREATE TABLE log.chunk_20200101 PARTITION OF log.chunk"
            " FOR VALUES FROM ('2020-01-01') TO ('2020-01-02');"
            "UPDATE log.chunk SET at = '2020-01-01 12:00';"
            "ALTER TABLE log.chunk_20200101 OWNER TO zhiyin_log"
        )
        await log._keep()  # type: ignore[attr-defined]
        assert await admin.fetchval("SELECT count(*) FROM log.chunk") == 0
        await admin.close()
        [position] = await log.append([Message(topics[0], "k", b"new")])
        assert position.offset == 1
        partition = Partition(topics[0], position.number)
        assert await log.consumer("outside", topics).bounds([partition]) == {partition: (1, 2)}
