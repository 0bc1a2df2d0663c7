"""Timers fire exactly once, never early, by the database's clock."""

import asyncio
from datetime import datetime
from typing import Any

import asyncpg

from tests.runtime.counting import Bench, Fired, number_of
from zhiyin.contracts.instants import SECOND, Instant, instant
from zhiyin.runtime.batch import Timer
from zhiyin.runtime.timers import clear_timers, set_timers


async def _now(tx: Any) -> Instant:
    now: datetime = await tx.fetchval("SELECT clock_timestamp()")
    return instant(now)


def timer(key: str, due_at: Instant, payload: bytes = b"", kind: str = "fire") -> Timer:
    return Timer(key, number_of(key), due_at, f"person-{key}", kind, payload)


async def test_two_workers_fire_each_timer_once_and_never_early(bench: Bench) -> None:
    async with bench.db.transaction() as tx:
        now = await _now(tx)
        await set_timers(tx, [timer(f"t{i}", now + i * SECOND // 300) for i in range(300)])
    fire = {"fire": Fired()}
    async with bench.worker(fire=fire), bench.worker(fire=fire):
        await bench.until_counted(300)
    assert await bench.counts() == {f"t{i}": 1 for i in range(300)}
    assert await bench.db.pool.fetchval("SELECT count(*) FROM timer") == 0


async def test_a_timer_fires_within_a_moment_of_its_time(bench: Bench) -> None:
    async with bench.worker(fire={"fire": Fired()}) as worker:
        await bench.eventually(lambda: _is(worker.ready))
        async with bench.db.transaction() as tx:
            await set_timers(tx, [timer("soon", await _now(tx) + SECOND // 2)])
        await bench.until_counted(1)
        delays = worker._telemetry.delays.snapshot()["due_to_fired"].total
    assert sum(delays.values()) == 1


async def test_chores_without_a_person_do_not_count_as_late(bench: Bench) -> None:
    async with bench.db.transaction() as tx:
        long_ago = await _now(tx) - 3600 * SECOND
        await set_timers(tx, [Timer("chore", 0, long_ago, "", "fire")])
    async with bench.worker(fire={"fire": Fired()}) as worker:
        await bench.until_counted(1)
        assert not worker._telemetry.delays.snapshot()["due_to_fired"].total


async def test_set_again_moves_a_timer_and_cleared_it_never_fires(bench: Bench) -> None:
    async with bench.db.transaction() as tx:
        now = await _now(tx)
        await set_timers(tx, [timer("moved", now), timer("cleared", now), timer("stays", now)])
        await set_timers(tx, [timer("moved", now + 3600 * SECOND)])
        await clear_timers(tx, ["cleared", "never set"])
    async with bench.worker(fire={"fire": Fired()}):
        await bench.until_counted(1)
        await asyncio.sleep(0.3)
    assert await bench.counts() == {"stays": 1}


async def test_a_timer_that_raises_is_set_aside_alone(bench: Bench) -> None:
    async with bench.db.transaction() as tx:
        now = await _now(tx)
        timers = [timer(f"t{i}", now) for i in range(20)]
        await set_timers(tx, [*timers, timer("bad", now, b"raise")])
    async with bench.worker(fire={"fire": Fired()}):
        await bench.until_counted(20)
        await bench.eventually(bench.dead)
    row = await bench.db.pool.fetchrow("SELECT topic, key, code, reason FROM dead_letter")
    assert tuple(row) == ("(timer)", "bad", "raised", "ValueError: as asked")


async def test_kinds_this_version_does_not_know_wait_for_one_that_does(bench: Bench) -> None:
    async with bench.db.transaction() as tx:
        now = await _now(tx)
        await set_timers(tx, [timer("new", now, kind="new"), timer("old", now)])
    async with bench.worker(fire={"fire": Fired()}):
        await bench.until_counted(1)
    assert await bench.counts() == {"old": 1}
    async with bench.worker(fire={"new": Fired()}):
        await bench.until_counted(2)


async def test_many_due_timers_do_not_keep_records_waiting(bench: Bench) -> None:
    await _many_due(bench, 20_000)
    async with bench.worker(fire={"fire": Fired()}) as worker:
        await bench.eventually(lambda: _is(worker.ready))
        await bench.send(*(f"record-{i}" for i in range(8)))

        async def records() -> int:
            return sum(1 for name in await bench.counts() if name.startswith("record"))

        async def eight() -> bool:
            return await records() == 8

        await bench.eventually(eight)
        assert await bench.db.pool.fetchval("SELECT count(*) FROM timer") > 0


async def _many_due(bench: Bench, count: int) -> None:
    admin = await asyncpg.connect(bench.dsn)
    await admin.execute(
        "INSERT INTO counting.timer SELECT 't' || i, i % 4, clock_timestamp(), 'p', 'fire', ''"
        " FROM generate_series(1, $1::int) i",
        count,
    )
    await admin.close()


async def _is(holds: bool) -> bool:
    return holds
