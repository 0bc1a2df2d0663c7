"""Whatever happens, each record counts once and each message goes out."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import asyncpg
import pytest

from tests.runtime.counting import COUNTED, OTHERS, QUICK, THINGS, Bench, count, number_of
from tests.runtime.cutting_proxy import CuttingProxy
from zhiyin.runtime.db import Database
from zhiyin.runtime.log import LogUnavailable, Message, Partition, Position, Record
from zhiyin.runtime.ownership import Ownership
from zhiyin.runtime.worker import Halted, WorkerOptions


async def test_every_record_is_counted_once_and_its_message_published(bench: Bench) -> None:
    values = [f"n{i % 13}" for i in range(500)]
    await bench.send(*values)
    await bench.send("other", topic=OTHERS)
    async with bench.worker() as worker:
        await bench.until_counted(501)
        assert worker.ready
        assert worker.owned == frozenset(range(4))
    assert await bench.counts() == Counter([*values, "other"])
    assert Counter(await bench.published()) == Counter([*values, "other"])
    assert await bench.db.pool.fetchval("SELECT count(*) FROM outbox") == 0


async def test_work_goes_on_where_the_last_worker_stopped(bench: Bench) -> None:
    await bench.send("a", "b", "c")
    async with bench.worker():
        await bench.until_counted(3)
    await bench.send("a", "d")
    async with bench.worker():
        await bench.until_counted(5)
    assert await bench.counts() == {"a": 2, "b": 1, "c": 1, "d": 1}


async def test_a_record_that_raises_is_set_aside_alone_and_order_is_kept(bench: Bench) -> None:
    values = [*(str(i) for i in range(20)), "raise", *(str(i) for i in range(20, 40))]
    await bench.send(*values, key="k")
    async with bench.worker():
        await bench.until_counted(40)
    assert await bench.dead() == [("raised", "raise")]
    assert await bench.published() == [value for value in values if value != "raise"]


async def test_a_rejected_record_is_set_aside_with_its_reason(bench: Bench) -> None:
    await bench.log.append([Message(THINGS, "k", b"reject", (("h", b"1"),))])
    await bench.send("a", key="k")
    async with bench.worker():
        await bench.until_counted(1)
    row = await bench.db.pool.fetchrow(
        'SELECT topic, partition, "offset", key, code, reason FROM dead_letter'
    )
    assert tuple(row) == (THINGS, number_of("k"), 0, "k", "unwanted", "as asked")


async def test_too_many_dead_letters_halt_the_worker(bench: Bench) -> None:
    await bench.send(*["reject"] * 30, *["raise"] * 30)
    options = WorkerOptions(partitions=4, lanes=2, halt_least=20, halt_window=50)
    with pytest.raises(Halted, match="dead letters"):
        async with bench.worker(options=options) as worker:
            await bench.eventually(lambda: _true_when(worker.status().halted is not None))


async def test_another_log_halts_the_worker(bench: Bench) -> None:
    await bench.send("a", "b", key="k")
    async with bench.worker():
        await bench.until_counted(2)
    admin = await asyncpg.connect(bench.dsn)
    await admin.execute("TRUNCATE log.chunk; UPDATE log.head SET next = 0")
    await admin.close()
    await bench.send("x", "y", "z", key="k")
    with pytest.raises(Halted, match="truncated or recreated"):
        async with bench.worker() as worker:
            await bench.eventually(lambda: _true_when(worker.status().halted is not None))
    assert "x" not in await bench.counts()


async def test_a_holder_that_reads_on_while_it_is_replaced_is_no_other_log(bench: Bench) -> None:
    await bench.send("a", key="k")
    async with bench.worker():
        await bench.until_counted(1)
    consumer = bench.log.consumer("counting", [THINGS])
    looked_up = consumer.bounds
    asked: list[int] = []

    async def bounds(partitions: Collection[Partition]) -> Mapping[Partition, tuple[int, int]]:
        found = await looked_up(partitions)
        asked.append(len(partitions))
        if len(asked) == 1:
            await bench.send("b", key="k")
            async with bench.worker():
                await bench.until_counted(2)
        return found

    consumer.bounds = bounds  # type: ignore[method-assign]
    place = Partition(THINGS, number_of("k"))
    stands = await Ownership(bench.db, consumer).gain([place])
    assert stands[place].next == 2


async def test_a_truncated_log_halts_a_running_worker(bench: Bench) -> None:
    await bench.send("a", "b", key="k")
    with pytest.raises(Halted, match="truncated or recreated"):  # noqa: PT012
        async with bench.worker() as worker:
            await bench.until_counted(2)
            admin = await asyncpg.connect(bench.dsn)
            await admin.execute("TRUNCATE log.chunk; UPDATE log.head SET next = 0")
            await admin.close()
            await bench.eventually(lambda: _true_when(worker.status().halted is not None))


async def test_a_worker_whose_partitions_were_taken_drops_its_batch(bench: Bench) -> None:
    async with bench.worker() as worker:
        await bench.eventually(lambda: _true_when(worker.ready))
        await _bump_epochs(bench)  # as another member does that gains them
        await bench.send("a", "b", "c")
        await asyncio.sleep(0.3)
        assert await bench.counts() == {}
        assert worker.owned != frozenset(range(4))
        await bench.until_counted(3)  # gained anew, as nobody else works on them
    assert await bench.counts() == {"a": 1, "b": 1, "c": 1}


async def test_a_commit_whose_reply_is_lost_counts_once(bench: Bench) -> None:
    proxy = CuttingProxy(bench.dsn)
    db = Database(await proxy.start(), "counting", "zhiyin_counting")
    await db.open()
    try:
        async with bench.worker(db=db) as worker:
            await bench.eventually(lambda: _true_when(worker.ready))
            for name in "abcd":
                proxy.commits_to_lose = 1
                await bench.send(name)
                await bench.eventually(lambda: _true_when(proxy.commits_to_lose == 0))
            await bench.until_counted(4)
            await bench.send("e", "f")
            await bench.until_counted(6)
    finally:
        await db.close()
        await proxy.stop()
    assert await bench.counts() == dict.fromkeys("abcdef", 1)
    assert sorted(set(await bench.published())) == list("abcdef")


async def test_messages_left_in_the_outbox_are_published_by_the_next_owner(bench: Bench) -> None:
    recovered: list[str] = []

    async def recover(outgoing: Sequence[Any]) -> None:
        recovered.extend(item.message.value.decode() for item in outgoing)

    class Away:
        """The log, taking no messages."""

        def __getattr__(self, name: str) -> Any:
            return getattr(whole, name)

        async def append(self, messages: Sequence[Message]) -> Sequence[Position]:
            raise LogUnavailable("as asked")

    whole, bench.log = bench.log, Away()  # type: ignore[assignment]
    await whole.append([Message(THINGS, "k", b"a"), Message(THINGS, "k", b"b")])
    options = WorkerOptions(partitions=4, lanes=2, shutdown=0.5)
    async with bench.worker(options=options):
        await bench.until_counted(2)
    bench.log = whole
    assert await bench.published() == []
    async with bench.worker(recover=recover):
        await bench.send("c", key="k")
        await bench.until_counted(3)
    assert await bench.published() == ["a", "b", "c"]
    assert recovered[:2] == ["a", "b"]
    assert await bench.counts() == {"a": 1, "b": 1, "c": 1}


async def test_enqueued_messages_are_published_by_the_owner(bench: Bench) -> None:
    async with bench.worker(options=QUICK) as worker:
        await bench.eventually(lambda: _true_when(worker.ready))
        async with bench.db.transaction() as tx:
            record = Record(THINGS, number_of("k"), 7, "k", b"from an API call", (), 0)
            outcome = await count(tx, [record])
            await worker.enqueue(tx, outcome.outgoing)
        await bench.eventually(bench.published)
    assert await bench.published() == ["from an API call"]


async def test_two_workers_share_the_work_and_one_may_leave(bench: Bench) -> None:
    async with bench.worker() as stays:
        async with bench.worker() as leaves:
            await bench.eventually(
                lambda: _true_when(len(stays.owned) == 2 == len(leaves.owned)), 15
            )
            await bench.send(*(f"n{i}" for i in range(200)))
            await bench.until_counted(200)
        await bench.eventually(lambda: _true_when(len(stays.owned) == 4))
        await bench.send(*(f"n{i}" for i in range(200)))
        await bench.until_counted(400)
    assert set((await bench.counts()).values()) == {2}
    ends = await bench.log.ends([COUNTED])
    assert sum(ends.values()) >= 400
    assert Partition(COUNTED, 0) in ends


async def _true_when(holds: bool) -> bool:
    return holds


async def _bump_epochs(bench: Bench) -> None:
    await bench.db.pool.execute("UPDATE position SET epoch = epoch + 1")
