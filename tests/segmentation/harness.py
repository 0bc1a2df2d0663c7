"""Segmentation on a real PostgreSQL and Valkey, without the event log: batches go straight in."""

import itertools
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from redis.asyncio import Redis

from services.segmentation import reads
from services.segmentation.backfill import BACKFILL, Backfill
from services.segmentation.catalogue import Catalogue
from services.segmentation.editor import Editor
from services.segmentation.hot_copies import HotCopies
from services.segmentation.main import MIGRATIONS
from services.segmentation.pipeline import Pipeline
from services.segmentation.saving import FLIP, Saving
from zhiyin.contracts.profiles import ProfileChanged, encode
from zhiyin.contracts.segments import SegmentChanged, decode_segment_changed
from zhiyin.contracts.topics import PROFILE_CHANGED
from zhiyin.rules import Options
from zhiyin.runtime.batch import Fire, Outcome
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.delays import Delays
from zhiyin.runtime.log import Record, partition_of
from zhiyin.runtime.migrate import migrate, role_of
from zhiyin.runtime.redis import connect
from zhiyin.runtime.timers import claim_due

PARTITIONS = range(4)
_offsets = itertools.count()


def record_of(message: ProfileChanged, headers: tuple[tuple[str, bytes], ...] = ()) -> Record:
    key = message.snapshot.profile_id
    partition = partition_of(key, len(PARTITIONS))
    return Record(PROFILE_CHANGED, partition, next(_offsets), key, encode(message), headers, 0)


@dataclass(eq=False)
class Instance:
    """One process of the service, as far as its store is concerned."""

    database: Database
    redis: Redis
    told: list[SegmentChanged] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.options = Options()
        self.delays = Delays()
        self.hot = HotCopies(self.redis, self.database)
        catalogue = Catalogue(self.options)
        saving = Saving(ZoneInfo("Asia/Shanghai"), self.hot, self.delays, wall_clock)
        self.pipeline = Pipeline(catalogue, saving)
        self.fire: dict[str, Fire] = {
            FLIP: self.pipeline.flip,
            BACKFILL: Backfill(catalogue, saving).walk,
        }
        self.editor = Editor(self.database, PARTITIONS)

    async def deliver(self, *messages: ProfileChanged) -> Outcome:
        async with self.database.transaction() as tx:
            outcome = await self.pipeline.apply(tx, [record_of(one) for one in messages])
        await self._committed(outcome)
        return outcome

    async def fire_due(self, partitions: Sequence[int] = PARTITIONS) -> int:
        """One round of timers, as the worker does it. Returns how many were due."""
        outcomes: list[Outcome] = []
        async with self.database.transaction() as tx:
            due, now = await claim_due(tx, partitions, list(self.fire), 500)
            kinds = defaultdict(list)
            for timer in due:
                kinds[timer.kind].append(timer)
            for kind, timers in kinds.items():
                outcomes.append(await self.fire[kind](tx, timers, now))
        for outcome in outcomes:
            await self._committed(outcome)
        return len(due)

    async def _committed(self, outcome: Outcome) -> None:
        self.told += [decode_segment_changed(one.message.value) for one in outcome.outgoing]
        await outcome.after_commit()

    async def members(self, segment: str) -> set[str]:
        async with self.database.connection() as connection:
            rows = await connection.fetch(
                "SELECT profile_id FROM membership WHERE segment = $1", segment
            )
        return {row[0] for row in rows}

    async def status(self, segment: str) -> tuple[int, bool]:
        """Count and whether it is live."""
        async with self.database.connection() as connection:
            (row,) = await reads.segments(connection, segment)
        return row.members, row.live

    async def settle(self, partitions: Sequence[int] = PARTITIONS) -> None:
        """Fire until every walk over these partitions is over and nothing is due."""
        pending = """
            SELECT count(*) FROM timer WHERE partition = ANY($1::int[])
              AND (kind = 'backfill' OR due_at <= clock_timestamp())
        """
        async with self.database.connection() as connection:
            while await connection.fetchval(pending, list(partitions)):
                await self.fire_due(partitions)


@asynccontextmanager
async def an_instance(postgres: str, redis_url: str) -> AsyncIterator[Instance]:
    database = Database(postgres, "segmentation", role_of("segmentation"))
    await database.open()
    redis = connect(redis_url)
    try:
        yield Instance(database, redis)
    finally:
        await redis.aclose()
        await database.close()


async def migrated(postgres: str) -> str:
    await migrate(postgres, "segmentation", MIGRATIONS)
    return postgres
