"""(a) The profile stage, one process, beside Quix Streams and beside this machine's limits."""

import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from bench.limits import consume_and_decode, write_batches
from bench.processor_time import ProcessorTime
from bench.report import Figure, say
from bench.servers import Servers, memory_mib, servers
from bench.streams import events
from zhiyin.contracts.events import encode_event, event_key
from zhiyin.contracts.topics import EVENTS
from zhiyin.runtime.log import Message
from zhiyin.runtime.log.kafka import KafkaLog
from zhiyin.runtime.redis import connect

TOPIC = "events.purchase"
PARTITIONS = 8
LANES = "4"  # as for loading history: docs/operations.md
LONGEST = 600.0  # seconds that a run may take at most


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


class Run(NamedTuple):
    """One run over all events: events per second, µs of processor time that its process and that
    PostgreSQL took per event, and MiB at the end."""

    rate: float
    cpu: float
    database: float
    memory: float


async def stage(machine: Servers, count: int) -> Run:
    """From the first batch applied to the last one published; nothing is stored before."""
    async with asyncio.timeout(LONGEST):
        return await _stage(machine, count)


async def _stage(machine: Servers, count: int) -> Run:
    db = await asyncpg.connect(machine.postgres.dsn)
    await db.execute("DROP SCHEMA IF EXISTS profile CASCADE")
    async with connect(machine.valkey.url) as redis:
        await redis.flushall()
    machine.run("profile", "migrate")
    with machine.serving("profile", ZHIYIN_LANES=LANES) as (process, _):
        used = ProcessorTime({"profile": process.pid}, machine.postgres.pid or 0, db)
        while not (before := await applied(db)):
            await asyncio.sleep(0.01)
        started, earlier = time.perf_counter(), await used.read()
        while await applied(db) < count:
            await asyncio.sleep(0.05)
        while await db.fetchval("SELECT count(*) FROM profile.outbox"):
            await asyncio.sleep(0.02)
        seconds, took = time.perf_counter() - started, await used.read() - earlier
        memory = memory_mib(process)
    stored = await db.fetchval("SELECT count(*) FROM profile.event")
    await db.close()
    if stored != count:
        raise RuntimeError(f"{stored} of {count} events are in the event log")
    events = count - before
    cpu, database = took["profile"], took.total() - took["profile"]
    return Run(events / seconds, cpu / events, database / events, memory)


def peer(broker: str, count: int) -> Run:
    """Quix Streams over the same records with the same fold."""
    line = [sys.executable, "-m", "bench.quix_peer", broker, TOPIC, str(count)]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True, timeout=LONGEST)
    report = json.loads(done.stdout.strip().splitlines()[-1])
    if report["events"] < count:
        raise RuntimeError(f"the peer folded {report['events']} of {count} events")
    return Run(count / report["seconds"], report["cpu"] * 1e6 / count, 0.0, 0.0)


def median(runs: Sequence[Run]) -> Run:
    return Run(*map(statistics.median, zip(*runs, strict=True)))


def beside(machine: Servers, count: int, people: int, rounds: int) -> tuple[Run, Run]:
    """The peer and the stage over the same records, by turns, so that what else the machine does
    meets both; medians."""
    assert machine.kafka is not None
    broker = machine.kafka.url
    asyncio.run(fill(broker, count, people))
    turns = []
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}: {count:,} events of {people:,} people")
        turns.append((peer(broker, count), asyncio.run(stage(machine, count))))
    theirs, ours = zip(*turns, strict=True)
    return median(theirs), median(ours)


def run(count: int = 100_000, people: int = 10_000, rounds: int = 3) -> Sequence[Figure]:
    with servers(kafka=True) as machine:
        assert machine.kafka is not None
        quix, ours = beside(machine, count, people, rounds)
        reading = count / asyncio.run(consume_and_decode(machine.kafka.url, TOPIC, count))
        writing = count / asyncio.run(write_batches(machine.postgres.dsn, count))
    with servers(kafka=True) as machine:
        strangers = beside(machine, count // 2, 50 * count, 1)
    return [
        Figure("profile stage, one process", ours.rate, "events/s"),
        Figure("Quix Streams 3, same fold, exactly-once", quix.rate, "events/s"),
        Figure("ratio to Quix Streams", ours.rate / quix.rate, "×"),
        Figure("processor time of the process", ours.cpu, "µs/event"),
        Figure("processor time of PostgreSQL", ours.database, "µs/event"),
        Figure("processor time of Quix Streams' process", quix.cpu, "µs/event"),
        Figure("limit: consume and decode alone", reading, "events/s"),
        Figure("limit: PostgreSQL batch writes alone", writing, "events/s"),
        Figure("share of the tighter limit", 100 * ours.rate / min(reading, writing), "%"),
        Figure("memory of the profile process", ours.memory, "MiB"),
        Figure("one event a person: ratio", strangers[1].rate / strangers[0].rate, "×"),
        Figure("one event a person: process", strangers[1].cpu, "µs/event"),
        Figure("one event a person: PostgreSQL", strangers[1].database, "µs/event"),
        Figure("one event a person: Quix Streams", strangers[0].cpu, "µs/event"),
    ]
