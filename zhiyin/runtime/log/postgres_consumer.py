"""Reads the PostgreSQL log as one member of a group."""

import asyncio
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Collection,
    Iterable,
    Mapping,
    Sequence,
)
from collections.abc import Set as AbstractSet
from contextlib import asynccontextmanager, suppress
from typing import Any, Final

import structlog

from zhiyin.runtime.db import Database
from zhiyin.runtime.log.chunks import BEFORE_ALL, read_chunks, records_of
from zhiyin.runtime.log.interface import Assignment, LogUnavailable, Partition, Record
from zhiyin.runtime.log.leases import Leases
from zhiyin.runtime.log.notices import Notices
from zhiyin.runtime.log.reader import Reader, take
from zhiyin.runtime.outages import OUTAGES

_LOOK_SECONDS: Final = 0.5
_log = structlog.get_logger(__name__)


class PostgresConsumer:
    """Notices wake it; twice a second it also looks by itself, as notices may be lost."""

    def __init__(
        self,
        db: Database,
        partitions: Callable[[str], Awaitable[int]],
        group: str,
        member: str,
        topics: Sequence[str],
        lease: float,
    ) -> None:
        self._db = db
        self._partitions = partitions
        self._group = group
        self._member = member
        self._topics = tuple(topics)
        self._lease = lease
        self._readers: dict[Partition, Reader] = {}
        self._generations: dict[int, int] = {}
        self._reported: dict[Partition, int] = {}
        self._waiting: set[asyncio.Event] = set()
        self._group_changed = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._failure: Exception | None = None
        self._notices = Notices(db, self._topics, self._on_records, self._on_group)

    async def start(self, assignment: Assignment) -> None:
        counts = {await self._partitions(topic) for topic in self._topics}
        if len(counts) != 1:
            raise LookupError(f"topics of group {self._group} differ in partitions: {counts}")
        leases = Leases(self._db, self._group, self._member, counts.pop(), self._lease)
        await leases.create()
        self._assignment = assignment
        self._leases = leases
        self._tasks = [
            asyncio.create_task(self._forever(self._member_round)),
            asyncio.create_task(self._forever(self._look)),
        ]

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._give_up(frozenset(self._generations))
        try:
            await self._leases.leave()
        except OUTAGES as error:
            _log.warning("left without saying so", group=self._group, error=repr(error))
        self._notices.close()

    async def fetch(
        self, partitions: frozenset[Partition], limit: int, wait: float
    ) -> Mapping[Partition, Sequence[Record]]:
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            if self._failure is not None:
                raise self._failure
            readers = [self._readers[p] for p in partitions if p in self._readers]
            await self._fill([r for r in readers if r.fresh and not r.records])
            if found := take(readers, limit):
                return found
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0 or not await self._news(readers, left):
                return {}

    def seek(self, partition: Partition, offset: int) -> None:
        if partition in self._readers:
            self._readers[partition] = Reader(partition, offset)

    async def read_one(self, partition: Partition, offset: int) -> Record | None:
        async with self._connected() as connection:
            found = await read_chunks(connection, {partition: (offset, BEFORE_ALL)})
        for row in found.get(partition, ()):
            for record in records_of(row, offset):
                return record if record.offset == offset else None
        return None

    async def bounds(
        self, partitions: Collection[Partition]
    ) -> Mapping[Partition, tuple[int, int]]:
        async with self._connected() as connection:
            rows = await connection.fetch(
                "SELECT topic, partition, first, next FROM head WHERE topic = ANY($1::text[])",
                list({partition.topic for partition in partitions}),
            )
        known = {Partition(topic, number): (first, end) for topic, number, first, end in rows}
        return {partition: known.get(partition, (0, 0)) for partition in partitions}

    async def report(self, positions: Mapping[Partition, int]) -> None:
        moved = {p: at for p, at in positions.items() if self._reported.get(p) != at}
        if not moved:
            return
        try:
            await self._db.pool.execute(
                "INSERT INTO progress (grp, topic, partition, next)"
                " SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bigint[])"
                " AS p(topic, partition, next) ORDER BY topic, partition"
                " ON CONFLICT (grp, topic, partition) DO UPDATE SET next = excluded.next",
                self._group,
                [partition.topic for partition in moved],
                [partition.number for partition in moved],
                list(moved.values()),
            )
            self._reported |= moved
        except OUTAGES as error:
            _log.warning("lag not reported", error=repr(error))

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[Any]:
        try:
            async with self._db.connection() as connection:
                yield connection
        except OUTAGES as error:
            raise LogUnavailable(f"PostgreSQL: {error!r}") from error

    async def _fill(self, readers: Sequence[Reader]) -> None:
        if not readers:
            return
        for reader in readers:
            reader.fresh = False
        try:
            async with self._connected() as connection:
                positions = {r.partition: (r.position, r.since) for r in readers}
                found = await read_chunks(connection, positions)
        except BaseException:
            for reader in readers:
                reader.fresh = True
            raise
        for reader in readers:
            reader.add(found.get(reader.partition, ()))

    async def _news(self, readers: Sequence[Reader], wait: float) -> bool:
        """Wait for something new; False when the time is up."""
        if any(reader.fresh for reader in readers):
            return True
        woken = asyncio.Event()
        self._waiting.add(woken)
        try:
            async with asyncio.timeout(wait):
                await woken.wait()
        except TimeoutError:
            return False
        finally:
            self._waiting.discard(woken)
        return True

    def _wake(self) -> None:
        for woken in self._waiting:
            woken.set()

    def _on_records(self, partitions: Iterable[Partition]) -> None:
        known = [self._readers[partition] for partition in partitions if partition in self._readers]
        for reader in known:
            reader.fresh = True
        if known:
            self._wake()

    def _on_group(self, group: str) -> None:
        if group == self._group:
            self._group_changed.set()

    async def _forever(self, step: Callable[[], Awaitable[None]]) -> None:
        while self._failure is None:
            try:
                await step()
            except OUTAGES as error:
                _log.warning("event log away", group=self._group, error=repr(error))
                await asyncio.sleep(_LOOK_SECONDS)
            except Exception as error:  # noqa: BLE001 - raised again by fetch
                self._failure = error
                self._wake()

    async def _member_round(self) -> None:
        self._group_changed.clear()
        await self._notices.listen()
        held = await self._leases.round()
        known = self._generations
        lost = {n for n, generation in known.items() if held.generations.get(n) != generation}
        await self._give_up(lost | held.surplus)
        if held.surplus:
            await self._leases.release(held.surplus)
        await self._take_up(
            {n: g for n, g in held.generations.items() if n not in known and n not in held.surplus}
        )
        with suppress(TimeoutError):
            async with asyncio.timeout(self._lease / 5):
                await self._group_changed.wait()

    async def _give_up(self, numbers: AbstractSet[int]) -> None:
        if not numbers:
            return
        partitions = self._of(numbers)
        for partition in partitions:
            self._readers.pop(partition, None)
            self._reported.pop(partition, None)
        for number in numbers:
            self._generations.pop(number, None)
        await self._assignment.lost(partitions)

    async def _take_up(self, generations: Mapping[int, int]) -> None:
        if not generations:
            return
        positions = await self._assignment.gained(self._of(generations))
        self._readers |= {p: Reader(p, position) for p, position in positions.items()}
        self._generations |= generations
        self._wake()

    def _of(self, numbers: Iterable[int]) -> frozenset[Partition]:
        return frozenset(Partition(topic, n) for topic in self._topics for n in numbers)

    async def _look(self) -> None:
        """Compare our positions with the heads: notices may be lost, and logs truncated."""
        before = {reader: reader.position for reader in self._readers.values()}
        if before:
            async with self._connected() as connection:
                rows = await connection.fetch(
                    "SELECT topic, partition, first, next FROM head WHERE topic = ANY($1::text[])",
                    list(self._topics),
                )
            for topic, number, first, end in rows:
                reader = self._readers.get(Partition(topic, number))
                if reader in before and reader.compare(before[reader], first, end):
                    self._wake()
        await asyncio.sleep(_LOOK_SECONDS)
