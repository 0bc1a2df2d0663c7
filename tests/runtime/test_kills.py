"""A worker killed at any step leaves nothing lost and nothing done twice."""

import asyncio
import signal
import sys
from datetime import datetime

import pytest

from tests.runtime.counting import Bench, Fired
from tests.runtime.test_timers import timer
from zhiyin.contracts.instants import instant
from zhiyin.runtime.env import SettingsError
from zhiyin.runtime.faults import STEPS, fault_at
from zhiyin.runtime.timers import set_timers

QUICK_ONES = ("before_commit", "after_commit", "timers_claimed")


@pytest.mark.parametrize(
    "step",
    [s if s in QUICK_ONES else pytest.param(s, marks=pytest.mark.faults) for s in STEPS],
)
async def test_killed_at_any_step_the_next_worker_completes_the_work(
    bench: Bench, step: str
) -> None:
    values = [f"n{i}" for i in range(60)]
    await bench.send(*values)
    async with bench.db.transaction() as tx:
        now: datetime = await tx.fetchval("SELECT clock_timestamp()")
        await set_timers(tx, [timer(f"t{i}", instant(now)) for i in range(20)])
    arguments = ("-m", "tests.runtime.counting_process", bench.dsn, f"{step}:1")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, stdout=asyncio.subprocess.DEVNULL
    )
    async with asyncio.timeout(30):
        assert await process.wait() == -signal.SIGKILL
    async with bench.worker(fire={"fire": Fired()}) as worker:
        await bench.until_owned(worker, 4)
        await bench.until_counted(80)
        await bench.until_published()
    assert await bench.counts() == dict.fromkeys([*values, *(f"t{i}" for i in range(20))], 1)
    assert set(await bench.published()) == set(values)
    assert await bench.db.pool.fetchval("SELECT count(*) FROM outbox") == 0


def test_a_fault_at_an_unknown_step_is_refused() -> None:
    with pytest.raises(SettingsError, match="after_commit"):
        fault_at("nowhere:1")
