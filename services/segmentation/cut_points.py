"""RFM cut points in PostgreSQL: versions, and when they are taken again."""

from datetime import timedelta
from typing import Final, NamedTuple

import msgspec

from zhiyin.contracts.instants import Duration, Instant, instant
from zhiyin.facts import RfmThresholds
from zhiyin.runtime.batch import Connection

# Long enough to look at ten million people; a refresh that died is taken up again after it.
_LEASE: Final = timedelta(minutes=30)
_SOON: Final = timedelta(minutes=10)
_decode = msgspec.msgpack.Decoder(RfmThresholds).decode


class Version(NamedTuple):
    version: int
    at: Instant
    buyers: int
    thresholds: RfmThresholds


class Schedule(NamedTuple):
    every: Duration
    due_at: Instant
    refreshed_at: Instant | None


async def versions(tx: Connection, before: int | None, limit: int) -> list[Version]:
    """Newest first, from the one below `before`."""
    rows = await tx.fetch(
        """
        SELECT version, at, buyers, thresholds FROM cut_points
        WHERE $1::bigint IS NULL OR version < $1 ORDER BY version DESC LIMIT $2
        """,
        before,
        limit,
    )
    return [Version(v, instant(at), buyers, _decode(packed)) for v, at, buyers, packed in rows]


async def newest(tx: Connection) -> Version | None:
    found = await versions(tx, None, 1)
    return found[0] if found else None


async def add(tx: Connection, buyers: int, thresholds: RfmThresholds) -> None:
    await tx.execute(
        """
        INSERT INTO cut_points (at, buyers, thresholds) VALUES (clock_timestamp(), $1, $2)
        """,
        buyers,
        msgspec.msgpack.encode(thresholds),
    )


async def schedule(tx: Connection) -> Schedule:
    every, due_at, refreshed_at = await tx.fetchrow(
        "SELECT every, due_at, refreshed_at FROM cut_schedule"
    )
    at = None if refreshed_at is None else instant(refreshed_at)
    return Schedule(round(every.total_seconds() * 1_000_000), instant(due_at), at)


async def set_every(tx: Connection, every: Duration) -> None:
    await tx.execute(
        """
        UPDATE cut_schedule SET every = $1,
          due_at = coalesce(refreshed_at + $1, clock_timestamp())
        """,
        timedelta(microseconds=every),
    )


async def take(tx: Connection, *, now_due: bool) -> bool:
    """Whether the refresh is ours to do: it is due (or asked for), and nobody is at it."""
    taken = await tx.fetchval(
        """
        UPDATE cut_schedule SET taken_until = clock_timestamp() + $1
        WHERE (due_at <= clock_timestamp() OR $2)
          AND (taken_until IS NULL OR taken_until < clock_timestamp())
        RETURNING true
        """,
        _LEASE,
        now_due,
    )
    return taken is not None


async def done(tx: Connection, *, enough: bool) -> None:
    """`enough`: whether there were people enough; otherwise it is tried again before long."""
    await tx.execute(
        """
        UPDATE cut_schedule SET taken_until = NULL, refreshed_at = clock_timestamp(),
          due_at = clock_timestamp() + CASE WHEN $1 THEN every ELSE least(every, $2) END
        """,
        enough,
        _SOON,
    )


async def give_up(tx: Connection) -> None:
    """Somebody else may do it at once."""
    await tx.execute("UPDATE cut_schedule SET taken_until = NULL")
