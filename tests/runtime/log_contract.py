"""What every event log must do. Run against each implementation."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import pytest

from zhiyin.runtime.log import (
    EventLog,
    LogConsumer,
    LogUnavailable,
    Message,
    OffsetOutOfRange,
    Partition,
    Record,
    Tail,
    partition_of,
)

PARTITIONS = 4


class Member:
    """Takes up partitions from where `positions` says, and remembers what it holds."""

    def __init__(self, positions: Mapping[Partition, int] | None = None) -> None:
        self.positions = dict(positions or {})
        self.held: set[Partition] = set()
        self.gains = 0

    async def gained(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        self.gains += 1
        self.held |= partitions
        return {partition: self.positions.get(partition, 0) for partition in partitions}

    async def lost(self, partitions: frozenset[Partition]) -> None:
        self.held -= partitions

    @property
    def numbers(self) -> set[int]:
        return {partition.number for partition in self.held}


async def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.02)


async def read(
    consumer: LogConsumer, partitions: frozenset[Partition], count: int, limit: int = 100
) -> list[Record]:
    records: list[Record] = []
    async with asyncio.timeout(20):
        while len(records) < count:
            for found in (await consumer.fetch(partitions, limit, 0.2)).values():
                records.extend(found)
    return records


async def tailed(tail: Tail, count: int) -> list[Record]:
    records: list[Record] = []
    async with asyncio.timeout(20):
        while len(records) < count:
            records += await tail.fetch(7, 0.2)
    return records


def messages(topic: str, count: int) -> list[Message]:
    return [
        Message(topic, f"key-{i % 7}", b"value %d" % i, (("n", b"%d" % i),)) for i in range(count)
    ]


class LogContract:
    @pytest.fixture
    async def topics(self, log: EventLog) -> tuple[str, str]:
        run = uuid.uuid4().hex[:8]
        topics = (f"one.{run}", f"two.{run}")
        await log.ensure_topics(topics, PARTITIONS)
        return topics

    @pytest.fixture
    async def consumers(self) -> AsyncIterator[list[LogConsumer]]:
        started: list[LogConsumer] = []
        yield started
        await asyncio.gather(*(consumer.stop() for consumer in started))

    async def join(
        self,
        log: EventLog,
        topics: Sequence[str],
        consumers: list[LogConsumer],
        positions: Mapping[Partition, int] | None = None,
        group: str | None = None,
    ) -> tuple[LogConsumer, Member]:
        consumer = log.consumer(group or f"group-{topics[0]}", topics)
        member = Member(positions)
        await consumer.start(member)
        consumers.append(consumer)
        return consumer, member

    async def test_appended_messages_are_read_back_whole_and_in_order(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        sent = messages(topics[0], 50)
        positions = await log.append(sent)
        consumer, member = await self.join(log, topics, consumers)
        await eventually(lambda: len(member.held) == 2 * PARTITIONS)
        records = await read(consumer, frozenset(member.held), 50)
        at = {(r.topic, r.partition, r.offset): r for r in records}
        for message, position in zip(sent, positions, strict=True):
            record = at[position]
            assert (record.key, record.value, record.headers) == message[1:]
            assert record.partition == partition_of(message.key, PARTITIONS)
        for number in range(PARTITIONS):
            offsets = [r.offset for r in records if r.partition == number]
            assert offsets == list(range(len(offsets)))
            values = [int(r.header("n") or b"") for r in records if r.partition == number]
            assert values == sorted(values)

    async def test_a_waiting_reader_is_woken_soon(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        consumer, member = await self.join(log, topics, consumers)
        await eventually(lambda: len(member.held) == 2 * PARTITIONS)
        await log.append(messages(topics[0], 1))
        await read(consumer, frozenset(member.held), 1)
        delays = []
        for _ in range(5):
            reading = asyncio.create_task(read(consumer, frozenset(member.held), 1))
            await asyncio.sleep(0.3)
            started = asyncio.get_running_loop().time()
            await log.append(messages(topics[1], 1))
            await reading
            delays.append(asyncio.get_running_loop().time() - started)
        assert sorted(delays)[2] < 0.2

    async def test_reading_goes_on_from_where_seek_says(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        await log.append([Message(topics[0], "k", b"%d" % i) for i in range(10)])
        partition = Partition(topics[0], partition_of("k", PARTITIONS))
        consumer, member = await self.join(log, topics, consumers, {partition: 8})
        await eventually(lambda: partition in member.held)
        assert [r.offset for r in await read(consumer, frozenset([partition]), 2)] == [8, 9]
        consumer.seek(partition, 3)
        assert [r.offset for r in await read(consumer, frozenset([partition]), 7, 3)] == [
            *range(3, 10)
        ]

    async def test_disjoint_partitions_can_be_read_at_the_same_time(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        await log.append(messages(topics[0], 700))
        consumer, member = await self.join(log, topics, consumers)
        await eventually(lambda: len(member.held) == 2 * PARTITIONS)
        ends = await log.ends(topics)
        lanes = [frozenset(Partition(t, n) for t in topics) for n in range(PARTITIONS)]
        counts = [sum(ends[partition] for partition in lane) for lane in lanes]
        found = await asyncio.gather(
            *(read(consumer, lane, n) for lane, n in zip(lanes, counts, strict=True))
        )
        assert [len(records) for records in found] == counts
        assert sum(counts) == 700

    async def test_members_share_partition_numbers_of_all_topics(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        one, first = await self.join(log, topics, consumers)
        await eventually(lambda: len(first.numbers) == PARTITIONS)
        _, second = await self.join(log, topics, consumers)
        await eventually(lambda: len(first.numbers) == 2 and len(second.numbers) == 2)
        assert not first.held & second.held
        assert second.held == {Partition(t, n) for t in topics for n in second.numbers}
        consumers.remove(one)
        await one.stop()
        assert not first.held
        await eventually(lambda: len(second.numbers) == PARTITIONS)

    async def test_ends_and_bounds_tell_what_the_log_holds(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        await log.append([Message(topics[0], "k", b"%d" % i) for i in range(10)])
        full = Partition(topics[0], partition_of("k", PARTITIONS))
        ends = await log.ends(topics)
        assert ends[full] == 10
        assert sum(ends.values()) == 10
        assert len(ends) == 2 * PARTITIONS
        consumer = log.consumer("outside", topics)
        assert await consumer.bounds([full]) == {full: (0, 10)}
        record = await consumer.read_one(full, 7)
        assert record is not None
        assert (record.offset, record.value) == (7, b"7")
        assert await consumer.read_one(full, 10) is None

    async def test_a_position_beyond_the_end_is_out_of_range(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        await log.append([Message(topics[0], "k", b"0")])
        partition = Partition(topics[0], partition_of("k", PARTITIONS))
        consumer, member = await self.join(log, topics, consumers, {partition: 99})
        await eventually(lambda: partition in member.held)
        with pytest.raises(OffsetOutOfRange):
            await read(consumer, frozenset([partition]), 1)

    async def test_a_tail_reads_on_from_where_it_is_told_and_takes_nothing_from_a_group(
        self, log: EventLog, topics: tuple[str, str], consumers: list[LogConsumer]
    ) -> None:
        _, member = await self.join(log, topics, consumers)
        await eventually(lambda: member.numbers == set(range(PARTITIONS)))
        await log.append([message for topic in topics for message in messages(topic, 40)])
        everything = [Partition(topic, n) for topic in topics for n in range(PARTITIONS)]
        positions = dict(await log.ends(topics))
        known = Partition(topics[0], partition_of("key-3", PARTITIONS))
        end, positions[known] = positions[known], 1
        tail = log.tail()
        begins = await tail.start({partition: positions[partition] for partition in everything})
        assert begins[known] == 1
        found = await tailed(tail, end - 1)
        assert [record.offset for record in found] == list(range(1, end))
        await log.append(messages(topics[1], 20))
        news = await tailed(tail, 20)
        assert {record.topic for record in news} == {topics[1]}
        for partition in everything:
            offsets = [r.offset for r in news if (r.topic, r.partition) == partition]
            assert offsets == sorted(offsets)
        assert await tail.fetch(10, 0.1) in ([], ())
        assert member.numbers == set(range(PARTITIONS))
        await tail.stop()

    async def test_a_tail_told_of_a_position_that_never_was_begins_at_the_end(
        self, log: EventLog, topics: tuple[str, str]
    ) -> None:
        await log.append(messages(topics[0], 3))
        tail = log.tail()
        ends = await log.ends(topics)
        assert await tail.start(dict.fromkeys(ends, 1000)) == ends
        await tail.stop()

    async def test_an_oversized_message_is_refused_and_nothing_is_written(
        self, log: EventLog, topics: tuple[str, str]
    ) -> None:
        with pytest.raises(ValueError, match="bytes"):
            await log.append([Message(topics[0], "k", bytes(9 * 2**20))])
        await log.append([Message(topics[0], "k", bytes(7 * 2**20))])
        assert sum((await log.ends(topics)).values()) == 1

    async def test_an_unreachable_log_says_so_in_time(self, away: EventLog) -> None:
        started = asyncio.get_running_loop().time()
        with pytest.raises(LogUnavailable):
            await away.append([Message("any", "k", b"v")])
        assert asyncio.get_running_loop().time() - started < 10
