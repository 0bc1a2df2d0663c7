"""How long comings and goings are kept: a table per month, dropped when all of it is too old.
The counts per day go with them."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Final

import structlog

from zhiyin.contracts.instants import DAY, Instant, instant, moment
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import OUTAGES

# As long as a profile keeps its purchases one by one.
KEPT_DAYS: Final = 400
_MONTHS_AHEAD: Final = 3
_ROUND_SECONDS: Final = 3600.0
_LOCK: Final = 0x5A_53_4D_4C
_BEFORE: Final = "membership_log_before"
_log = structlog.get_logger(__name__)


async def keep_moves(tx: Connection, now: Instant, days: int = KEPT_DAYS) -> list[str]:
    """Make the tables of the months ahead, drop those that ended more than `days` before `now`.
    Returns the names of the dropped ones."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
    known = await _tables(tx)
    first = known.get(_BEFORE, date.min)
    month = moment(now).date().replace(day=1)
    for _ in range(_MONTHS_AHEAD):
        if _name(month) not in known and month >= first:
            await tx.execute(
                f'CREATE TABLE "{_name(month)}" PARTITION OF membership_log'
                f" FOR VALUES FROM ('{month} 00:00:00+00') TO ('{_next(month)} 00:00:00+00')"
            )
        month = _next(month)
    oldest = moment(now - days * DAY).date()
    dropped = sorted(name for name, end in known.items() if end <= oldest)
    for name in dropped:
        await tx.execute(f'DROP TABLE "{name}"')
    await tx.execute("DELETE FROM tally_day WHERE day < $1", oldest)
    return dropped


async def keep_moves_hourly(database: Database) -> None:
    """Until cancelled. Never raises for PostgreSQL being away."""
    while True:
        await asyncio.sleep(_ROUND_SECONDS)
        try:
            await keep_moves_now(database)
        except OUTAGES as error:
            _log.warning("months not kept", error=repr(error))


async def keep_moves_now(database: Database) -> None:
    async with database.transaction() as tx:
        now: datetime = await tx.fetchval("SELECT clock_timestamp()")
        if dropped := await keep_moves(tx, instant(now)):
            _log.info("months dropped", tables=dropped)


async def _tables(tx: Connection) -> dict[str, date]:
    """Each table of the log, and the day on which the next begins."""
    rows = await tx.fetch(
        """
        SELECT c.relname, (regexp_match(pg_get_expr(c.relpartbound, c.oid), 'TO \\(''([^'']+)'))[1]
          ::timestamptz AT TIME ZONE 'UTC'
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = 'membership_log'::regclass
        """
    )
    return {name: end.replace(tzinfo=UTC).date() for name, end in rows}


def _name(month: date) -> str:
    return f"membership_log_{month:%Y%m}"


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)
