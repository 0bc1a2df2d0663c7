"""(f) Time: how soon after it became true an entry is told, and how long a million of them take.

One segmentation process beside PostgreSQL and the log, two of them for the million. Delays are the
service's own: from the instant at which time made it true to the commit that says so; and, for the
calm case, to the message's arrival at a reader of `segment.changed`.
"""

import argparse
import asyncio
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import asyncpg

from bench.gateway_door import up
from bench.live_news import delays, milliseconds, news_of
from bench.population import RULES, SEGMENT, Due, settle_down
from bench.report import Figure, show
from bench.segments_in_force import only_segments
from bench.servers import Servers, servers
from zhiyin.contracts.instants import DAY, MINUTE, SECOND, Duration, Instant
from zhiyin.contracts.segments import decode_segment_changed
from zhiyin.contracts.topics import SEGMENT_CHANGED
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.log import EventLog, Partition
from zhiyin.runtime.log.kafka import KafkaLog
from zhiyin.runtime.log.postgres import PostgresLog

LIVE = 300
PENDING = 100_000
INSTANCES = 2
# Putting a person down takes this long at most.
SETTLING: Duration = SECOND // 10_000


def log_of(machine: Servers) -> EventLog:
    if machine.kafka is None:
        return PostgresLog(machine.postgres.dsn, instance="bench")
    return KafkaLog(machine.kafka.url, client_id="bench")


async def entered(db: asyncpg.Connection) -> int:
    query = "SELECT coalesce(sum(members), 0) FROM segmentation.tally WHERE segment = $1"
    return int(await db.fetchval(query, SEGMENT))


@dataclass
class _Arrivals:
    """A reader of `segment.changed`, from where it stands now. Arrival less instant, in µs."""

    log: EventLog
    late: list[int]

    async def gained(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        ends = await self.log.ends([SEGMENT_CHANGED])
        return {one: ends[one] for one in partitions}

    async def lost(self, partitions: frozenset[Partition]) -> None:
        return None

    async def read(self, seconds: float) -> None:
        consumer = self.log.consumer("bench", [SEGMENT_CHANGED])
        await consumer.start(self)
        every = frozenset(await self.log.ends([SEGMENT_CHANGED]))
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            found = await consumer.fetch(every, 1_000, 0.2)
            now = wall_clock()
            changes = [decode_segment_changed(r.value) for rs in found.values() for r in rs]
            self.late += [now - one.at for one in changes if one.cause == "time"]
        await consumer.stop()


async def calm(machine: Servers, pending: int, seconds: int) -> Sequence[Figure]:
    """A twentieth of the timers come due, evenly, while the rest wait and news keeps coming."""
    machine.run("segmentation", "migrate")
    db = await asyncpg.connect(machine.postgres.dsn)
    await only_segments(db, RULES)
    begin = wall_clock() + 60 * SECOND
    soon = pending // 20
    people = [
        Due(n, begin + n * seconds * SECOND // soon if n < soon else begin + DAY + n)
        for n in range(pending)
    ]
    await settle_down(db, people)
    log = log_of(machine)
    await log.start()
    with machine.serving("segmentation") as (_, url):
        await up(url)
        await asyncio.sleep(max(0.0, (begin - wall_clock()) / SECOND - 5))
        arrivals = _Arrivals(log, [])
        async with news_of(log, people[soon:], LIVE):
            await arrivals.read(seconds + 10)
        seen = await delays(url)
    count = await entered(db)
    await db.close()
    await log.stop()
    late = sorted(arrivals.late)
    return [
        Figure(f"{pending:,} timers pending, {LIVE} changes/s: entries by time", count, ""),
        Figure("  seen on segment.changed", len(late), ""),
        Figure("  true → segment.changed, p50", late[len(late) // 2] / 1000, "ms"),
        Figure("  true → segment.changed, p95", late[len(late) * 95 // 100] / 1000, "ms"),
        Figure("  true → segment.changed, worst", late[-1] / 1000, "ms"),
        Figure("  event → segment, p95", milliseconds(seen.get("event_to_segment"), 0.95), "ms"),
    ]


async def burst(machine: Servers, people: int, rate: int, instances: int) -> Sequence[Figure]:
    """All due within one minute, while news of people keeps coming. Time runs from when the first
    of them is due."""
    machine.run("segmentation", "migrate")
    db = await asyncpg.connect(machine.postgres.dsn)
    await only_segments(db, RULES)
    begin: Instant = wall_clock() + people * SETTLING + MINUTE
    everybody = [Due(n, begin + n * MINUTE // people) for n in range(people)]
    await settle_down(db, everybody)
    log = log_of(machine)
    await log.start()
    with ExitStack() as stack:
        names = [f"segmentation-{number + 1}" for number in range(instances)]
        urls = [
            stack.enter_context(machine.serving("segmentation", ZHIYIN_INSTANCE=name))[1]
            for name in names
        ]
        await asyncio.gather(*map(up, urls))
        await asyncio.sleep(max(0.0, (begin - wall_clock()) / SECOND))
        async with news_of(log, everybody[-max(people // 10, 1) :], rate) as told:
            while await entered(db) < people:
                await asyncio.sleep(0.1)
            seconds = (wall_clock() - begin) / SECOND
        seen: Counter[int] = Counter()
        for url in urls:
            seen.update((await delays(url)).get("event_to_segment", {}))
    await db.close()
    await log.stop()
    return [
        Figure(
            f"{people:,} people due within a minute, {instances} instances: all entered",
            seconds,
            "s",
        ),
        Figure("  people a second", people / seconds, "/s"),
        Figure("  changes that came meanwhile", told["changes"], ""),
        Figure("  event → segment, p95", milliseconds(seen, 0.95), "ms"),
    ]


def run(pending: int = PENDING, people: int = 1_000_000, *, kafka: bool = True) -> Sequence[Figure]:
    with servers(kafka=kafka) as machine:
        figures = list(asyncio.run(calm(machine, pending, 60)))
    with servers(kafka=kafka) as machine:
        return [*figures, *asyncio.run(burst(machine, people, LIVE, INSTANCES))]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.segment_time")
    parser.add_argument("--pending", type=int, default=PENDING)
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--embedded", action="store_true", help="the log in PostgreSQL")
    given = parser.parse_args()
    show("(f) time", run(given.pending, given.people, kafka=not given.embedded))


if __name__ == "__main__":
    main()
