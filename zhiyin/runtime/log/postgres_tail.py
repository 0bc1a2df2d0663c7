"""Reads the PostgreSQL log from outside any group."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

from zhiyin.runtime.db import Database
from zhiyin.runtime.log.chunks import read_chunks
from zhiyin.runtime.log.interface import LogUnavailable, Partition, Record
from zhiyin.runtime.log.merging import merged
from zhiyin.runtime.log.reader import Reader, take
from zhiyin.runtime.outages import OUTAGES

_LOOK_SECONDS: Final = 0.2
_HEADS: Final = "SELECT topic, partition, first, next FROM head WHERE topic = ANY($1::text[])"


class PostgresTail:
    """Looks five times a second: a notice to each tail would cost a connection each."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._readers: dict[Partition, Reader] = {}
        self._topics: list[str] = []

    async def start(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        self._topics = sorted({partition.topic for partition in positions})
        bounds = await self._bounds()
        begins = {
            partition: min(max(position, bounds[partition][0]), bounds[partition][1])
            for partition, position in positions.items()
            if partition in bounds
        }
        self._readers = {partition: Reader(partition, at) for partition, at in begins.items()}
        return begins

    async def stop(self) -> None:
        self._readers = {}

    async def fetch(self, limit: int, wait: float) -> Sequence[Record]:
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            await self._read()
            if found := take(self._readers.values(), limit):
                return merged(found.values())
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return ()
            await asyncio.sleep(min(left, _LOOK_SECONDS))

    async def _read(self) -> None:
        for partition, (first, end) in (await self._bounds()).items():
            if reader := self._readers.get(partition):
                reader.compare(reader.position, first, end)
        fresh = [each for each in self._readers.values() if each.fresh and not each.records]
        if not fresh:
            return
        positions = {reader.partition: (reader.position, reader.since) for reader in fresh}
        try:
            async with self._db.connection() as connection:
                found = await read_chunks(connection, positions)
        except OUTAGES as error:
            raise LogUnavailable(f"PostgreSQL: {error!r}") from error
        for reader in fresh:
            reader.fresh = False
            reader.add(found.get(reader.partition, ()))

    async def _bounds(self) -> dict[Partition, tuple[int, int]]:
        try:
            rows = await self._db.pool.fetch(_HEADS, self._topics)
        except OUTAGES as error:
            raise LogUnavailable(f"PostgreSQL: {error!r}") from error
        return {Partition(topic, number): (first, end) for topic, number, first, end in rows}
