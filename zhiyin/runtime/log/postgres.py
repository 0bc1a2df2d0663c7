"""The event log in PostgreSQL: for one machine and small brands, no broker needed."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

import asyncpg
import structlog

from zhiyin.runtime.db import Database
from zhiyin.runtime.log.chunks import append_chunks
from zhiyin.runtime.log.group_commit import GroupCommit
from zhiyin.runtime.log.interface import (
    LogConsumer,
    LogUnavailable,
    Message,
    Partition,
    Position,
    Tail,
)
from zhiyin.runtime.log.notices import tell_readers
from zhiyin.runtime.log.postgres_consumer import PostgresConsumer
from zhiyin.runtime.log.postgres_tail import PostgresTail
from zhiyin.runtime.log.retention import keep_days
from zhiyin.runtime.outages import OUTAGES

_RETENTION_ROUND: Final = 3600.0
_log = structlog.get_logger(__name__)


class PostgresLog:
    """Needs schema `log`, which `zhiyin.runtime.migrate.migrate` makes. Times in seconds."""

    def __init__(
        self,
        dsn: str,
        *,
        retention_days: int = 7,
        lease: float = 5.0,
        append_timeout: float = 10.0,
        instance: str = "local",
    ) -> None:
        # Its statements take arrays of a few elements, which PostgreSQL would plan anew each time.
        self._db = Database(
            dsn,
            "log",
            "zhiyin_log",
            size=7,
            command_timeout=append_timeout,
            settings={"plan_cache_mode": "force_generic_plan"},
        )
        self._retention_days = retention_days
        self._lease = lease
        self._instance = instance
        self._appends = GroupCommit(self._write, append_timeout)
        self._counts: dict[str, int] = {}
        self._keeping: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._db.open()
        await self._keep()
        self._keeping = asyncio.create_task(self._keep_hourly())

    async def stop(self) -> None:
        await self._appends.stop()
        if self._keeping is not None:
            self._keeping.cancel()
        await self._db.close()

    async def ensure_topics(self, topics: Sequence[str], partitions: int) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(
                "INSERT INTO topic (name, partitions) SELECT unnest($1::text[]), $2"
                " ON CONFLICT DO NOTHING",
                sorted(topics),
                partitions,
            )
            await tx.execute(
                "INSERT INTO head (topic, partition)"
                " SELECT name, generate_series(0, partitions - 1) FROM topic"
                " WHERE name = ANY($1::text[]) ON CONFLICT DO NOTHING",
                list(topics),
            )

    async def append(self, messages: Sequence[Message]) -> Sequence[Position]:
        return await self._appends.append(messages)

    def consumer(self, group: str, topics: Sequence[str]) -> LogConsumer:
        member = f"{self._instance}-{uuid.uuid4().hex[:12]}"
        return PostgresConsumer(self._db, self.partitions, group, member, topics, self._lease)

    def tail(self) -> Tail:
        return PostgresTail(self._db)

    async def ends(self, topics: Sequence[str]) -> Mapping[Partition, int]:
        try:
            rows = await self._db.pool.fetch(
                "SELECT topic, partition, next FROM head WHERE topic = ANY($1::text[])",
                list(topics),
            )
        except OUTAGES as error:
            raise LogUnavailable(str(error)) from error
        return {Partition(topic, number): end for topic, number, end in rows}

    async def partitions(self, topic: str) -> int:
        """Raises LookupError for a topic that was never created."""
        if topic not in self._counts:
            try:
                rows = await self._db.pool.fetch("SELECT name, partitions FROM topic")
            except OUTAGES as error:
                raise LogUnavailable(str(error)) from error
            self._counts = dict(tuple(row) for row in rows)
        if topic not in self._counts:
            raise LookupError(f"there is no topic {topic!r}")
        return self._counts[topic]

    async def _write(self, messages: Sequence[Message]) -> Sequence[Position]:
        counts = {topic: await self.partitions(topic) for topic in {m.topic for m in messages}}
        try:
            async with self._db.connection() as connection:
                try:
                    positions = await append_chunks(connection, messages, counts)
                except asyncpg.CheckViolationError:  # a new day whose table is not there yet
                    await keep_days(connection, self._retention_days)
                    positions = await append_chunks(connection, messages, counts)
                await self._tell(connection, positions)
        except OUTAGES as error:
            raise LogUnavailable(f"PostgreSQL: {error!r}") from error
        return positions

    async def _tell(self, connection: asyncpg.Connection, positions: Sequence[Position]) -> None:
        """Wake the readers. In its own statement, as NOTIFY in the appending one would make all
        commits of the server wait for each other's disk write."""
        try:
            await tell_readers(connection, positions)
        except Exception as error:  # noqa: BLE001 - it is durable; readers look for themselves too
            _log.warning("readers not told", error=repr(error))

    async def _keep(self) -> None:
        async with self._db.connection() as connection:
            await keep_days(connection, self._retention_days)

    async def _keep_hourly(self) -> None:
        while True:
            await asyncio.sleep(_RETENTION_ROUND)
            try:
                await self._keep()
            except OUTAGES as error:
                _log.warning("retention put off", error=repr(error))
