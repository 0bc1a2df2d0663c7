"""Notices between the members of PostgreSQL logs: there is something to read, a group changed."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import asyncpg

from zhiyin.runtime.db import Database, limit_silence
from zhiyin.runtime.log.interface import Partition, Position

_RECORDS: Final = "zhiyin_records:"
GROUPS_CHANNEL: Final = "zhiyin_groups"


class Notices:
    """Listens on a connection of its own, on a channel per topic."""

    def __init__(
        self,
        db: Database,
        topics: Sequence[str],
        on_records: Callable[[Iterable[Partition]], None],
        on_group: Callable[[str], None],
    ) -> None:
        self._db = db
        self._topics = topics
        self._on_records = on_records
        self._on_group = on_group
        self._connection: asyncpg.Connection | None = None

    async def listen(self) -> None:
        """Connect, unless it is already."""
        if self._connection is not None and not self._connection.is_closed():
            return
        connection = await asyncpg.connect(
            self._db.dsn, timeout=10.0, server_settings=self._db.server_settings()
        )
        await limit_silence(connection)
        for topic in self._topics:
            await connection.add_listener(f"{_RECORDS}{topic}", self._records)
        await connection.add_listener(GROUPS_CHANNEL, self._group)
        self._connection = connection

    def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()

    def _records(self, _: Any, __: int, channel: str, payload: str) -> None:
        topic = channel.removeprefix(_RECORDS)
        self._on_records(Partition(topic, int(number)) for number in payload.split(","))

    def _group(self, _: Any, __: int, ___: str, payload: str) -> None:
        self._on_group(payload)


async def tell_readers(connection: asyncpg.Connection, positions: Iterable[Position]) -> None:
    fresh: dict[str, set[int]] = {}
    for topic, number, _ in positions:
        fresh.setdefault(topic, set()).add(number)
    await connection.execute(
        "SELECT pg_notify(c, p) FROM unnest($1::text[], $2::text[]) AS n (c, p)",
        [f"{_RECORDS}{topic}" for topic in fresh],
        [",".join(map(str, sorted(numbers))) for numbers in fresh.values()],
    )
