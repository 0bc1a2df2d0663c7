"""(a) The profile stage, one process, beside Quix Streams and beside this machine's limits."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Sequence

import asyncpg

from bench.limits import consume_and_decode, write_batches
from bench.report import Figure
from bench.servers import Servers, memory_mib, servers
from bench.streams import events
from zhiyin.contracts.events import encode_event, event_key
from zhiyin.contracts.topics import EVENTS
from zhiyin.runtime.log import Message
from zhiyin.runtime.log.kafka import KafkaLog

TOPIC = "events.purchase"
PARTITIONS = 8


async def fill(broker: str, count: int, people: int) -> None:
    """All events on one topic, so that the peer reads the very same records."""
    log = KafkaLog(broker, client_id="bench")
    await log.start()
    await log.ensure_topics(EVENTS, PARTITIONS)
    batch: list[Message] = []
    for event in events(count, people):
        batch.append(Message(TOPIC, event_key(event.customer), encode_event(event)))
        if len(batch) == 5_000:
            await log.append(batch)
            batch = []
    if batch:
        await log.append(batch)
    await log.stop()


async def applied(db: asyncpg.Connection) -> int:
    return int(
        await db.fetchval(
            "SELECT coalesce(sum(next), 0) FROM profile.position WHERE topic = $1", TOPIC
        )
    )


async def stage(machine: Servers, count: int) -> tuple[float, float]:
    """Seconds from the first batch applied to the last one published, and MiB at the end."""
    machine.run("profile", "migrate")
    db = await asyncpg.connect(machine.postgres.dsn)
    with machine.serving("profile") as (process, _):
        while not (before := await applied(db)):
            await asyncio.sleep(0.01)
        started = time.perf_counter()
        while await applied(db) < count:
            await asyncio.sleep(0.05)
        while await db.fetchval("SELECT count(*) FROM profile.outbox"):
            await asyncio.sleep(0.02)
        seconds = time.perf_counter() - started
        used = memory_mib(process)
    stored = await db.fetchval("SELECT count(*) FROM profile.event")
    await db.close()
    if stored != count:
        raise RuntimeError(f"{stored} of {count} events are in the event log")
    return seconds * count / (count - before), used


def peer(broker: str, count: int) -> float:
    """Seconds of Quix Streams for the same records and fold."""
    line = [sys.executable, "-m", "bench.quix_peer", broker, TOPIC, str(count)]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
    report = json.loads(done.stdout.strip().splitlines()[-1])
    if report["events"] < count:
        raise RuntimeError(f"the peer folded {report['events']} of {count} events")
    return float(report["seconds"])


def run(count: int = 100_000, people: int = 10_000) -> Sequence[Figure]:
    with servers(kafka=True) as machine:
        assert machine.kafka is not None
        broker = machine.kafka.url
        asyncio.run(fill(broker, count, people))
        quix = count / peer(broker, count)
        seconds, used = asyncio.run(stage(machine, count))
        ours = count / seconds
        reading = count / asyncio.run(consume_and_decode(broker, TOPIC, count))
        writing = count / asyncio.run(write_batches(machine.postgres.dsn, count))
    return [
        Figure("profile stage, one process", ours, "events/s"),
        Figure("Quix Streams 3, same fold, exactly-once", quix, "events/s"),
        Figure("ratio to Quix Streams", ours / quix, "×"),
        Figure("limit: consume and decode alone", reading, "events/s"),
        Figure("limit: PostgreSQL batch writes alone", writing, "events/s"),
        Figure("share of the tighter limit", 100 * ours / min(reading, writing), "%"),
        Figure("memory of the profile process", used, "MiB"),
    ]
