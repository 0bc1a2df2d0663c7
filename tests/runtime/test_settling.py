"""What follows a commit is done again until it works, and never holds up the work."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

from tests.runtime.counting import Bench, count
from zhiyin.runtime.batch import Outcome, Outgoing
from zhiyin.runtime.log import Record
from zhiyin.runtime.record_spans import record_spans
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.watchdog import LoopWatch


class Cache:
    """A hot copy that can be away."""

    def __init__(self) -> None:
        self.away = False
        self.broken = False
        self.copied: list[str] = []
        self.recovered: list[str] = []

    async def apply(self, tx: Any, records: Sequence[Record]) -> Outcome:
        outcome = await count(tx, records)

        async def copy() -> None:
            self.check()
            self.copied.extend(record.value.decode() for record in records)

        return Outcome(outcome.outgoing, outcome.rejected, copy)

    async def recover(self, outgoing: Sequence[Outgoing]) -> None:
        self.check()
        self.recovered.extend(item.message.value.decode() for item in outgoing)

    def check(self) -> None:
        if self.away:
            raise ConnectionResetError("as asked")
        if self.broken:
            raise LookupError("as asked")


async def test_while_the_cache_is_away_work_goes_on_and_is_made_up_for_later(bench: Bench) -> None:
    cache = Cache()
    cache.away = True
    names = [f"n{i}" for i in range(120)]
    async with bench.worker(cache.apply, recover=cache.recover) as worker:
        await bench.until_owned(worker, 4)
        for number, name in enumerate(names, 1):
            await bench.send(name, key="k")
            await bench.until_counted(number)
        assert cache.copied == []
        cache.away = False
        await bench.until_published()
    assert {*cache.copied, *cache.recovered} == set(names)
    assert len(cache.recovered) > 60
    assert await bench.published() == names


async def test_a_broken_after_commit_is_told_and_does_not_stop_the_worker(bench: Bench) -> None:
    cache = Cache()
    cache.broken = True
    async with bench.worker(cache.apply):
        await bench.send("a", "b")
        await bench.until_counted(2)
        await bench.until_published()
    assert cache.copied == []


async def test_a_blocked_event_loop_ends_the_process() -> None:
    ended: list[int] = []
    watch = asyncio.create_task(LoopWatch(1.0, ended.append).run())
    await asyncio.sleep(0.1)
    time.sleep(4)  # noqa: ASYNC251 - that is the point
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)
    assert ended == [70]


def test_records_of_a_sampled_trace_carry_their_own_span_on() -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    yes, no = (f"00-{trace}-{'b' * 16}-{flags}".encode() for flags in ("01", "00"))
    sampled = Record("t", 0, 0, "k", b"", (("traceparent", yes),), 0)
    unsampled = sampled._replace(headers=(("traceparent", no),))
    telemetry = Telemetry("s", "s-1", otlp_endpoint="http://127.0.0.1:9")
    with record_spans(telemetry, [sampled, unsampled]) as (one, two):
        assert two is unsampled
        carried = (one.header("traceparent") or b"").decode()
        assert carried.split("-")[1] == trace
        assert carried.split("-")[2] != "b" * 16
    telemetry.shutdown()
