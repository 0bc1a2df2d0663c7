"""What this machine could do at best: each of the stage's two resources used alone."""

import time
import uuid
from collections.abc import Mapping

import asyncpg

from bench.streams import events
from zhiyin.contracts.events import decode_event, encode_event, properties_of
from zhiyin.runtime.log import Partition
from zhiyin.runtime.log.kafka import KafkaLog

BATCH = 2_000
DOCUMENT = b"d" * 3_000  # a usual profile


class _FromTheStart:
    async def gained(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        return dict.fromkeys(partitions, 0)

    async def lost(self, partitions: frozenset[Partition]) -> None:
        return None


async def consume_and_decode(broker: str, topic: str, count: int) -> float:
    """Seconds to read `count` records and decode each into a typed event."""
    log = KafkaLog(broker, client_id="limit")
    await log.start()
    consumer = log.consumer(f"limit-{uuid.uuid4()}", [topic])
    await consumer.start(_FromTheStart())
    everything = frozenset(Partition(topic, n) for n in range(await log.partitions(topic)))
    seen, started = 0, 0.0
    while seen < count:
        for records in (await consumer.fetch(everything, 5_000, 1.0)).values():
            started = started or time.perf_counter()
            for record in records:
                properties_of(decode_event(record.value))
            seen += len(records)
    seconds = time.perf_counter() - started
    await consumer.stop()
    await log.stop()
    return seconds


async def write_batches(dsn: str, count: int) -> float:
    """Seconds to write `count` events in batches, each with its COPY into a log, its dedupe keys
    and its updated documents, one batch after the other."""
    db = await asyncpg.connect(dsn)
    await db.execute(
        """
        CREATE SCHEMA IF NOT EXISTS limits;
        DROP TABLE IF EXISTS limits.event, limits.seen, limits.document;
        CREATE TABLE limits.event (person text, at bigint, uid uuid, value bytea,
          PRIMARY KEY (person, at, uid));
        CREATE TABLE limits.seen (uid uuid PRIMARY KEY);
        CREATE TABLE limits.document (person text PRIMARY KEY, body bytea) WITH (fillfactor = 50);
        ALTER TABLE limits.document ALTER COLUMN body SET STORAGE EXTERNAL
        """
    )
    rows = [
        (event.customer["member_id"], number, uuid.uuid4(), encode_event(event))
        for number, event in enumerate(events(count, max(count // 10, 1)))
    ]
    started = time.perf_counter()
    for at in range(0, count, BATCH):
        await _write(db, rows[at : at + BATCH])
    seconds = time.perf_counter() - started
    await db.execute("DROP SCHEMA limits CASCADE")
    await db.close()
    return seconds


async def _write(db: asyncpg.Connection, batch: list[tuple[str, int, uuid.UUID, bytes]]) -> None:
    async with db.transaction():
        uids = sorted(row[2] for row in batch)
        await db.execute("INSERT INTO limits.seen SELECT * FROM unnest($1::uuid[])", uids)
        await db.copy_records_to_table("event", records=batch, schema_name="limits")
        people = sorted({row[0] for row in batch})
        await db.execute(
            "INSERT INTO limits.document SELECT *, $2 FROM unnest($1::text[])"
            " ON CONFLICT (person) DO UPDATE SET body = excluded.body",
            people,
            DOCUMENT,
        )
