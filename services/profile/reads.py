"""What is asked of stored profiles outside a batch."""

from collections.abc import Sequence
from typing import NamedTuple

from services.profile.domain.person_event import Identifier
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

TimelineKey = tuple[Instant, str]


class StoredPerson(NamedTuple):
    profile_id: str
    version: int
    snapshot: bytes


class TimelineRow(NamedTuple):
    at: Instant
    uid: str
    type: str
    received_at: Instant
    value: bytes


async def people(connection: Connection, profile_ids: Sequence[str]) -> list[StoredPerson]:
    """Those who are there under these very ids."""
    rows = await connection.fetch(
        "SELECT profile_id, version, snapshot FROM profile WHERE profile_id = ANY($1::text[])",
        list(profile_ids),
    )
    return [StoredPerson(*row) for row in rows]


async def person(connection: Connection, profile_id: str) -> StoredPerson | None:
    """The person of an id, which may be of somebody merged away."""
    row = await connection.fetchrow(
        """
        SELECT profile_id, version, snapshot FROM profile
        WHERE profile_id = coalesce((SELECT kept FROM alias WHERE profile_id = $1), $1)
        """,
        profile_id,
    )
    return None if row is None else StoredPerson(*row)


async def person_id(connection: Connection, profile_id: str) -> str | None:
    """The id under which somebody goes now, who may have been merged away."""
    found: str | None = await connection.fetchval(
        """
        SELECT profile_id FROM profile
        WHERE profile_id = coalesce((SELECT kept FROM alias WHERE profile_id = $1), $1)
        """,
        profile_id,
    )
    return found


async def person_by(connection: Connection, namespace: str, token: str) -> StoredPerson | None:
    row = await connection.fetchrow(
        """
        SELECT p.profile_id, p.version, p.snapshot FROM identity i
        JOIN profile p ON p.profile_id = i.profile_id
        WHERE i.namespace = $1 AND i.token = $2
        """,
        namespace,
        token,
    )
    return None if row is None else StoredPerson(*row)


async def identifiers(
    connection: Connection, profile_ids: Sequence[str]
) -> dict[str, list[Identifier]]:
    """Which identifiers lead to each of these people."""
    found: dict[str, list[Identifier]] = {}
    for profile_id, namespace, token in await connection.fetch(
        "SELECT profile_id, namespace, token FROM identity WHERE profile_id = ANY($1::text[])",
        list(profile_ids),
    ):
        found.setdefault(profile_id, []).append((namespace, token))
    return found


async def aliases(connection: Connection, profile_ids: Sequence[str]) -> list[tuple[str, int, str]]:
    """Those of the ids that are of people merged away, at which version, and into whom."""
    rows = await connection.fetch(
        "SELECT profile_id, version, kept FROM alias WHERE profile_id = ANY($1::text[])",
        list(profile_ids),
    )
    return [tuple(row) for row in rows]


async def timeline(
    connection: Connection,
    profile_ids: Sequence[str],
    limit: int,
    before: TimelineKey | None,
    event_type: str | None,
) -> list[TimelineRow]:
    """Events of a person, who may have had several ids, newest first."""
    rows = await connection.fetch(
        """
        SELECT at, uid::text, type, received_at, value FROM event
        WHERE profile_id = ANY($1::text[])
          AND ($3::bigint IS NULL OR (at, uid) < ($3, $4::text::uuid))
          AND ($5::text IS NULL OR type = $5)
        ORDER BY at DESC, uid DESC LIMIT $2
        """,
        list(profile_ids),
        limit,
        None if before is None else before[0],
        None if before is None else before[1],
        event_type,
    )
    return [TimelineRow(*row) for row in rows]


async def events_by_type(connection: Connection, profile_ids: Sequence[str]) -> dict[str, int]:
    """How many events of each type a person has, who may have had several ids."""
    rows = await connection.fetch(
        "SELECT type, count(*) FROM event WHERE profile_id = ANY($1::text[]) GROUP BY 1 ORDER BY 1",
        list(profile_ids),
    )
    return dict(rows)


async def positions(connection: Connection) -> dict[tuple[str, int], int]:
    """How far each partition has been applied: the offset of the next record."""
    rows = await connection.fetch("SELECT topic, partition, next FROM position")
    return {(topic, number): offset for topic, number, offset in rows}


async def remember_missed(connection: Connection, profile_ids: Sequence[str]) -> None:
    await connection.execute(
        """
        INSERT INTO missed_copy (profile_id) SELECT * FROM unnest($1::text[]) ORDER BY 1
        ON CONFLICT DO NOTHING
        """,
        list(profile_ids),
    )


async def any_missed(connection: Connection) -> bool:
    """Whether any copy was missed."""
    missed: bool = await connection.fetchval("SELECT EXISTS (SELECT FROM missed_copy)")
    return missed


async def take_missed(tx: Connection, limit: int) -> list[str]:
    """Some whose copy was missed; they stay taken only if the transaction commits."""
    rows = await tx.fetch(
        """
        DELETE FROM missed_copy WHERE profile_id IN (
          SELECT profile_id FROM missed_copy ORDER BY profile_id LIMIT $1 FOR UPDATE SKIP LOCKED)
        RETURNING profile_id
        """,
        limit,
    )
    return [profile_id for (profile_id,) in rows]
