"""Timers: something to do at an instant, by the database's clock, once."""

from collections.abc import Sequence
from typing import Final

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
_CLAIM: Final = """
SELECT key, partition, due_at, profile_id, kind, payload FROM timer
WHERE partition = ANY($1::int[]) AND due_at <= clock_timestamp()
ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""


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


async def clear_timers(tx: Connection, keys: Sequence[str]) -> None:
    """Remove timers; those that are not set are no error."""
    if keys:
        await tx.execute(_CLEAR, list(keys))


async def claim_due(tx: Connection, partitions: Sequence[int], limit: int) -> list[Timer]:
    """Lock up to `limit` timers that are due now, earliest first."""
    rows = await tx.fetch(_CLAIM, list(partitions), limit)
    return [
        Timer(key, partition, instant(due_at), profile_id, kind, payload)
        for key, partition, due_at, profile_id, kind, payload in rows
    ]


async def next_due(tx: Connection, partitions: Sequence[int]) -> tuple[Instant | None, Instant]:
    """When the next timer is due, and the database's time now."""
    row = await tx.fetchrow(
        "SELECT min(due_at), clock_timestamp() FROM timer WHERE partition = ANY($1::int[])",
        list(partitions),
    )
    return (None if row[0] is None else instant(row[0])), instant(row[1])
