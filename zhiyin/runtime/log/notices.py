"""Notices between the members of PostgreSQL logs: there is something to read, a group changed."""

from collections.abc import Callable, Iterable
from typing import Any, Final

import asyncpg

from zhiyin.runtime.db import Database, limit_silence
from zhiyin.runtime.log.interface import Partition, Position

RECORDS_CHANNEL: Final = "zhiyin_records"
GROUPS_CHANNEL: Final = "zhiyin_groups"


class Notices:
    """Listens on a connection of its own."""

    def __init__(
        self,
        db: Database,
        on_records: Callable[[Iterable[Partition]], None],
        on_group: Callable[[str], None],
    ) -> None:
        self._db = db
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
        await connection.add_listener(RECORDS_CHANNEL, self._records)
        await connection.add_listener(GROUPS_CHANNEL, self._group)
        self._connection = connection

    def close(self) -> None:
        if self._connection is not None and not self._connection.is_closed():
            self._connection.terminate()

    def _records(self, _: Any, __: int, ___: str, payload: str) -> None:
        names = (name.rpartition(":") for name in payload.split(","))
        self._on_records(Partition(topic, int(number)) for topic, _sep, number in names)

    def _group(self, _: Any, __: int, ___: str, payload: str) -> None:
        self._on_group(payload)


async def tell_readers(connection: asyncpg.Connection, positions: Iterable[Position]) -> None:
    fresh = sorted({f"{topic}:{number}" for topic, number, _ in positions})
    await connection.execute("SELECT pg_notify($1, $2)", RECORDS_CHANNEL, ",".join(fresh))
