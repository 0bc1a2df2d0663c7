"""Timers: something to do at an instant, by the database's clock, once."""

from collections.abc import Collection, Sequence
from contextvars import ContextVar
from typing import Any, Final, NamedTuple

from zhiyin.contracts.instants import Instant, instant, moment
from zhiyin.runtime.batch import Connection, Timer

_SET: Final = """
INSERT INTO timer (key, partition, due_at, profile_id, kind, payload)
SELECT * FROM unnest($1::text[], $2::int[], $3::timestamptz[], $4::text[], $5::text[], $6::bytea[])
  AS t(key, partition, due_at, profile_id, kind, payload)
ORDER BY key
ON CONFLICT (key) DO UPDATE SET partition = excluded.partition, due_at = excluded.due_at,
  profile_id = excluded.profile_id, kind = excluded.kind, payload = excluded.payload
"""
_CLEAR: Final = """
DELETE FROM timer WHERE key IN
  (SELECT key FROM timer WHERE key = ANY($1::text[]) ORDER BY key FOR UPDATE)
"""
# Each kind and partition gets its share of a claim, so that a million of one kind cannot keep the
# others waiting. Kinds this version does not know stay for one that does. Held against the
# statement's instant, which ends the walk through the index: `clock_timestamp()` may be another
# for every row, so all that are pending would be looked at to find that none is due.
_CLAIM: Final = """
WITH due AS MATERIALIZED (
  SELECT t.place
  FROM unnest($1::int[]) AS p(partition) CROSS JOIN unnest($2::text[]) AS k(kind)
  CROSS JOIN LATERAL (
    SELECT ctid AS place FROM timer
    WHERE partition = p.partition AND kind = k.kind AND due_at <= statement_timestamp()
    ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED
  ) t
)
DELETE FROM timer USING due WHERE timer.ctid = due.place
RETURNING key, partition, due_at, profile_id, kind, payload, clock_timestamp()
"""
_CLAIM_THESE: Final = """
WITH due AS MATERIALIZED (
  SELECT ctid AS place FROM timer
  WHERE key = ANY($1::text[]) AND due_at <= clock_timestamp() ORDER BY key FOR UPDATE SKIP LOCKED
)
DELETE FROM timer USING due WHERE timer.ctid = due.place
RETURNING key, partition, due_at, profile_id, kind, payload, clock_timestamp()
"""
_NEXT: Final = """
SELECT p.partition, min(t.due_at), clock_timestamp()
FROM unnest($1::int[]) AS p(partition) CROSS JOIN unnest($2::text[]) AS k(kind)
LEFT JOIN LATERAL (
  SELECT due_at FROM timer WHERE partition = p.partition AND kind = k.kind ORDER BY due_at LIMIT 1
) t ON true GROUP BY p.partition
"""

# While a batch runs: the earliest timer it set, by partition, so that its owner can wake in time.
timers_set: ContextVar[dict[int, Instant] | None] = ContextVar("timers_set", default=None)


class Claimed(NamedTuple):
    """Timers taken by this transaction, earliest first, and the database's time."""

    timers: list[Timer]
    now: Instant


async def set_timers(tx: Connection, timers: Sequence[Timer]) -> None:
    """Set each timer, replacing one of the same key. Of equal keys in `timers` the last wins."""
    if not timers:
        return
    unique = list({timer.key: timer for timer in timers}.values())
    await tx.execute(
        _SET,
        [timer.key for timer in unique],
        [timer.partition for timer in unique],
        [moment(timer.due_at) for timer in unique],
        [timer.profile_id for timer in unique],
        [timer.kind for timer in unique],
        [timer.payload for timer in unique],
    )
    _note(unique)


async def clear_timers(tx: Connection, keys: Sequence[str]) -> None:
    """Remove timers; those that are not set are no error."""
    if keys:
        await tx.execute(_CLEAR, list(keys))


async def claim_due(
    tx: Connection, partitions: Collection[int], kinds: Collection[str], limit: int
) -> Claimed:
    """Take timers that are due now: of each partition and kind up to `limit`, the earliest."""
    return _claimed(await tx.fetch(_CLAIM, list(partitions), list(kinds), limit))


async def claim_these(tx: Connection, keys: Sequence[str]) -> Claimed:
    """Take those of these timers that are still there and due."""
    return _claimed(await tx.fetch(_CLAIM_THESE, list(keys)))


async def next_due(
    tx: Connection, partitions: Collection[int], kinds: Collection[str]
) -> tuple[dict[int, Instant], Instant | None]:
    """When the next timer of each partition is due (those without any are left out), and the
    database's time (None when nothing was asked for)."""
    rows = await tx.fetch(_NEXT, list(partitions), list(kinds))
    due = {number: instant(due_at) for number, due_at, _ in rows if due_at is not None}
    return due, instant(rows[-1][2]) if rows else None


def _claimed(rows: Sequence[Any]) -> Claimed:
    if not rows:
        return Claimed([], 0)
    timers = [
        Timer(key, partition, instant(due_at), profile_id, kind, payload)
        for key, partition, due_at, profile_id, kind, payload, _ in rows
    ]
    timers.sort(key=_due_at)
    return Claimed(timers, max(instant(row[6]) for row in (rows[0], rows[-1])))


def _due_at(timer: Timer) -> Instant:
    return timer.due_at


def _note(timers: Sequence[Timer]) -> None:
    noted = timers_set.get()
    if noted is not None:
        for timer in timers:
            noted[timer.partition] = min(timer.due_at, noted.get(timer.partition, timer.due_at))
