"""Tombstones in PostgreSQL."""

from collections import Counter
from collections.abc import Mapping, Sequence

from services.profile.domain.party import Link
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.tombstones import Tombstone, barring, digest, may_be_barred
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_STANDING = """
SELECT EXISTS (SELECT FROM tombstone), EXISTS (SELECT FROM tombstone WHERE until IS NULL),
       (SELECT max(until) FROM tombstone)
"""


async def barred(
    tx: Connection, events: Sequence[PersonEvent], links: Mapping[Identifier, Link]
) -> dict[bytes, Tombstone]:
    """The events (by uid) that must not be applied. Ask when identifiers are entered and people
    locked: whoever erases them commits before that, or waits for us and takes along what we do."""
    there, open_, latest = await tx.fetchrow(_STANDING)
    if not there:
        return {}
    asked = [event for event in events if may_be_barred(event, None if open_ else latest)]
    found = await _find(tx, {digest(each) for event in asked for each in event.identifiers})
    if not found:
        return {}
    return {
        event.uid: tombstone
        for event in asked
        if (tombstone := barring(event, found, links)) is not None
    }


async def set_up(tx: Connection, erasure_id: str, digests: Sequence[bytes]) -> None:
    """From now on, until `end`, these identifiers bring nobody back."""
    await tx.execute(
        """
        INSERT INTO tombstone (digest, erasure_id) SELECT d, $1 FROM unnest($2::bytea[]) AS n (d)
        ON CONFLICT DO NOTHING
        """,
        erasure_id,
        list(digests),
    )


async def end(tx: Connection, erasure_id: str, at: Instant) -> None:
    """Later events are a new person's."""
    await tx.execute(
        "UPDATE tombstone SET until = $2 WHERE erasure_id = $1 AND until IS NULL", erasure_id, at
    )


async def count_refused(tx: Connection, refused: Counter[str]) -> None:
    """By erasure: its receipt says how many events came too late."""
    if not refused:
        return
    await tx.executemany(
        "UPDATE erasure SET refused = refused + $2 WHERE erasure_id = $1", sorted(refused.items())
    )


async def count_copies(connection: Connection, erasure_id: str, gone: int) -> None:
    """Hot copies that were taken out of Redis."""
    await connection.execute(
        """
        UPDATE erasure SET counts = counts ||
          jsonb_build_object('redis.profile', coalesce((counts->>'redis.profile')::int, 0) + $2)
        WHERE erasure_id = $1
        """,
        erasure_id,
        gone,
    )


async def _find(tx: Connection, digests: set[bytes]) -> dict[bytes, list[Tombstone]]:
    found: dict[bytes, list[Tombstone]] = {}
    for mark, erasure_id, until in await tx.fetch(
        "SELECT digest, erasure_id, until FROM tombstone WHERE digest = ANY($1::bytea[])",
        list(digests),
    ):
        found.setdefault(mark, []).append(Tombstone(erasure_id, until))
    return found
