"""Old records go by dropping the table of their day: no row is deleted, nothing is left to vacuum.

The tables of the days ahead are made in time, and again whenever a writer finds its day missing.
"""

from datetime import date, datetime, timedelta
from typing import Final

import asyncpg

_DAYS_AHEAD: Final = 3
_LOCK: Final = 0x5A_48_4C_4F_47
_OLDEST_KEPT: Final = """
UPDATE head h SET first = coalesce(
  (SELECT c.last - c.count + 1 FROM chunk c
   WHERE c.topic = h.topic AND c.partition = h.partition ORDER BY c.last LIMIT 1), h.next)
"""


async def keep_days(connection: asyncpg.Connection, days: int) -> None:
    """Make the tables of today and the next days, drop those older than `days` days."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        now: datetime = await connection.fetchval("SELECT clock_timestamp() AT TIME ZONE 'UTC'")
        existing = await _tables(connection)
        # One day back too: the server's clock may be set back, never by more than that unnoticed.
        for ahead in range(-1, _DAYS_AHEAD + 1):
            day = now.date() + timedelta(days=ahead)
            if _name(day) not in existing:
                await connection.execute(_create(day))
        oldest = _name(now.date() - timedelta(days=days))
        dropped = [name for name in existing if name < oldest]
        for name in dropped:
            await connection.execute(f'DROP TABLE "{name}"')
        if dropped:
            await connection.execute(_OLDEST_KEPT)


async def _tables(connection: asyncpg.Connection) -> set[str]:
    rows = await connection.fetch(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = 'chunk'::regclass"
    )
    return {row[0] for row in rows}


def _name(day: date) -> str:
    return f"chunk_{day:%Y%m%d}"


def _create(day: date) -> str:
    end = day + timedelta(days=1)
    return (
        f'CREATE TABLE "{_name(day)}" PARTITION OF chunk'
        f" FOR VALUES FROM ('{day} 00:00:00+00') TO ('{end} 00:00:00+00')"
    )
