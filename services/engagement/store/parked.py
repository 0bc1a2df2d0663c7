"""What waits for its person, each with the timer that ends its patience."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection, Timer
from zhiyin.runtime.timers import clear_timers, set_timers

PARKED_TIMER: Final = "parked"


class Parked(Struct, frozen=True):
    """`awaits`: the version of the person it needs; `until`: when it has waited long enough;
    `stimulus`: packed."""

    profile_id: str
    key: str
    awaits: int
    until: Instant
    stimulus: bytes


async def park(tx: Connection, waiting: Mapping[int, Sequence[Parked]]) -> None:
    """By the partition of their person. What waits already goes on waiting as it does."""
    rows = [each for found in waiting.values() for each in found]
    if not rows:
        return
    added = await tx.fetch(
        """INSERT INTO parked (profile_id, key, awaits, until, stimulus)
           SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bytea[])
           ON CONFLICT DO NOTHING RETURNING profile_id, key""",
        [each.profile_id for each in rows],
        [each.key for each in rows],
        [each.awaits for each in rows],
        [each.until for each in rows],
        [each.stimulus for each in rows],
    )
    new = set(map(tuple, added))
    await set_timers(
        tx,
        [
            _timer(each.profile_id, each.key, each.until, partition)
            for partition, found in waiting.items()
            for each in found
            if (each.profile_id, each.key) in new
        ],
    )


async def unpark(tx: Connection, versions: Mapping[str, int]) -> list[tuple[str, bytes]]:
    """(person, stimulus) of what these people, now at these versions, no longer keep waiting, in
    the order in which it came."""
    if not versions:
        return []
    rows = await tx.fetch(
        """DELETE FROM parked p USING unnest($1::text[], $2::bigint[]) AS v(profile_id, version)
           WHERE p.profile_id = v.profile_id AND p.awaits <= v.version
           RETURNING p.seq, p.profile_id, p.key, p.stimulus""",
        list(versions),
        list(versions.values()),
    )
    await clear_timers(tx, sorted(_timer_key(row[1], row[2]) for row in rows))
    return [(row[1], row[3]) for row in sorted(rows)]


async def overdue(tx: Connection, ids: Collection[str], now: Instant) -> list[tuple[str, bytes]]:
    """(person, stimulus) of what has waited long enough, in the order in which it came."""
    rows = await tx.fetch(
        """DELETE FROM parked WHERE profile_id = ANY($1::text[]) AND until <= $2
           RETURNING seq, profile_id, stimulus""",
        list(ids),
        now,
    )
    return [(row[1], row[2]) for row in sorted(rows)]


async def move(
    tx: Connection, absorbed: str, kept: str, partition: int, awaits: int, until: Instant
) -> None:
    """What waits for somebody waits for whom they were merged into: for `awaits` of the kept
    person, whose partition is given. The timers of the absorbed are to be gone."""
    await tx.execute(
        """DELETE FROM parked a USING parked k
           WHERE a.profile_id = $1 AND k.profile_id = $2 AND a.key = k.key""",
        absorbed,
        kept,
    )
    rows = await tx.fetch(
        """UPDATE parked SET profile_id = $2, awaits = $3, until = $4 WHERE profile_id = $1
           RETURNING key""",
        absorbed,
        kept,
        awaits,
        until,
    )
    await set_timers(tx, [_timer(kept, row[0], until, partition) for row in rows])


def _timer(profile_id: str, key: str, until: Instant, partition: int) -> Timer:
    return Timer(
        key=_timer_key(profile_id, key),
        partition=partition,
        due_at=until,
        profile_id=profile_id,
        kind=PARKED_TIMER,
    )


def _timer_key(profile_id: str, key: str) -> str:
    return f"parked:{profile_id}:{key}"
