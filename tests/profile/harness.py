"""One instance of the profile service without its worker: batches are handed to it by the test."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import redis.asyncio

from services.profile import store
from services.profile.arrivals import from_log
from services.profile.catalogue import Catalogue
from services.profile.domain.fold import refold
from services.profile.domain.packed import decode_packed
from services.profile.domain.policy import PLAIN
from services.profile.domain.reading import Reader
from services.profile.editor import Editor
from services.profile.hearing import Hearing
from services.profile.hot_copies import HotCopies
from services.profile.identify import Contended
from services.profile.main import MIGRATIONS, SERVICE
from services.profile.passing_time import RETAG, PassingTime
from services.profile.pipeline import Pipeline
from services.profile.rebuild import Rebuild
from services.profile.saving import TAGS_DUE, Saving
from tests.builders import START
from zhiyin.contracts.events import Event, encode_event, event_key
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.contracts.profiles import (
    ProfileChanged,
    Snapshot,
    decode_profile_changed,
    decode_snapshot,
    encode,
)
from zhiyin.contracts.topics import topic_of
from zhiyin.rules import Options
from zhiyin.runtime.batch import Fire, Outcome, Timer
from zhiyin.runtime.db import Database
from zhiyin.runtime.delays import Delays
from zhiyin.runtime.log import Record, partition_of
from zhiyin.runtime.migrate import migrate, role_of
from zhiyin.runtime.redis import connect

PARTITIONS = 8


@dataclass
class Service:
    database: Database
    redis: redis.asyncio.Redis
    hot: HotCopies
    now: Instant = START
    offsets: "itertools.count[int]" = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        catalogue = Catalogue(Options())
        saving = Saving(PARTITIONS, self.hot, Delays(), lambda: self.now)
        self.reader = Reader("CNY", ZoneInfo("Asia/Shanghai"))
        self.hearing = Hearing(self.reader, None)
        self.pipeline = Pipeline(
            self.reader, self.hearing, catalogue, saving, PLAIN, lambda: self.now
        )
        self.passing = PassingTime(catalogue, saving, PLAIN)
        self.rebuild = Rebuild(self.reader, catalogue, saving, PLAIN, lambda: self.now)
        self.fires: dict[str, Fire] = {
            TAGS_DUE: self.passing.end,
            RETAG: self.passing.retag,
        }
        self.editor = Editor(self.database, lambda: self.now)

    def record(self, value: bytes, key: str = "k", topic: str = "events.custom") -> Record:
        logged_ms = (self.now + DAY) // 1000
        partition = partition_of(key, PARTITIONS)
        return Record(topic, partition, next(self.offsets), key, value, (), logged_ms)

    async def apply(self, *events: Event) -> list[ProfileChanged]:
        """One batch; what it publishes."""
        records = [
            self.record(encode_event(one), event_key(one.customer), topic_of(one.type))
            for one in events
        ]
        outcome = await self.handle(records)
        assert not outcome.rejected, outcome.rejected
        return messages(outcome)

    async def handle(self, records: Sequence[Record]) -> Outcome:
        """Until it comes through, as the runtime does."""
        while True:
            with suppress(Contended):
                async with self.database.transaction() as tx:
                    outcome = await self.pipeline.apply(tx, records)
                await outcome.after_commit()
                return outcome

    async def pass_time(self, now: Instant) -> list[ProfileChanged]:
        """Fire what is due at `now`, as the runtime does."""
        self.now = now
        told: list[ProfileChanged] = []
        while True:
            async with self.database.transaction() as tx:
                rows = await tx.fetch(
                    "SELECT key, partition, profile_id, kind, payload FROM timer "
                    "WHERE due_at <= to_timestamp($1::bigint / 1e6) FOR UPDATE SKIP LOCKED",
                    now,
                )
                if not rows:
                    return told
                await tx.execute("DELETE FROM timer WHERE key = ANY($1)", [r["key"] for r in rows])
                for kind, fire in self.fires.items():
                    due = [
                        Timer(r["key"], r["partition"], now, r["profile_id"], kind, r["payload"])
                        for r in rows
                        if r["kind"] == kind
                    ]
                    if due:
                        told += messages(await fire(tx, due, now))
            if any(row["kind"] != TAGS_DUE for row in rows):
                self.now = now = now + DAY // 86_400

    async def people(self) -> list[Snapshot]:
        """Everybody, oldest first."""
        rows = await self.database.pool.fetch(
            "SELECT snapshot FROM profile ORDER BY created_at, profile_id"
        )
        return [decode_snapshot(row[0]) for row in rows]

    async def owner(self, namespace: str, token: str) -> str | None:
        found: str | None = await self.database.pool.fetchval(
            "SELECT profile_id FROM identity WHERE namespace = $1 AND token = $2", namespace, token
        )
        return found

    async def check_plain_fold(self) -> None:
        """Everybody's facts are a plain fold of their events; nothing leads to nobody."""
        rows = await self.database.pool.fetch("SELECT snapshot FROM profile")
        for (packed,) in rows:
            snapshot = decode_packed(packed)
            async with self.database.connection() as connection:
                ids = [snapshot.profile_id, *snapshot.merged_from]
                events = from_log(self.reader, await store.history(connection, ids))
            facts = refold(events, PLAIN, snapshot.facts.unlinked)
            assert encode(facts) == encode(snapshot.facts)
        stranded = await self.database.pool.fetchval(
            """
            SELECT (SELECT count(*) FROM identity i LEFT JOIN profile p USING (profile_id)
                    WHERE p.profile_id IS NULL)
                 + (SELECT count(*) FROM alias a LEFT JOIN profile p ON p.profile_id = a.kept
                    WHERE p.profile_id IS NULL)
            """
        )
        assert stranded == 0


def messages(outcome: Outcome) -> list[ProfileChanged]:
    return [decode_profile_changed(one.message.value) for one in outcome.outgoing]


@asynccontextmanager
async def a_service(dsn: str, redis_url: str) -> AsyncIterator[Service]:
    await migrate(dsn, SERVICE, MIGRATIONS)
    database = Database(dsn, SERVICE, role_of(SERVICE))
    client = connect(redis_url)
    await database.open()
    try:
        yield Service(database, client, HotCopies(client, database))
    finally:
        await client.aclose()
        await database.close()
        await asyncio.sleep(0)
