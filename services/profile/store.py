"""People and their events in PostgreSQL. Everything here works on the caller's transaction; rows
are written in the order of their keys, so that batches never deadlock."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from asyncpg.pgproto.pgproto import UUID

from services.profile.domain.person_event import PersonEvent
from services.profile.domain.tagging import Tagging
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import encode
from zhiyin.runtime.batch import Connection

# Held shared by every batch, exclusively by whoever edits the tag rules.
TAG_SET_LOCK: Final = 0x5A_54_41_47

_FIRST_SIGHT: Final = """
INSERT INTO seen_event (uid) SELECT uid FROM unnest($1::uuid[]) AS n (uid) ORDER BY uid
ON CONFLICT (uid) DO NOTHING RETURNING uid
"""
_SAVE: Final = """
INSERT INTO profile AS p
  (profile_id, version, created_at, updated_at, members, links, snapshot, tagging)
SELECT profile_id, version, created_at, updated_at,
       members::text[], links, snapshot, tagging
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::int[],
            $7::bytea[], $8::bytea[])
  AS n (profile_id, version, created_at, updated_at, members, links, snapshot, tagging)
ORDER BY profile_id
ON CONFLICT (profile_id) DO UPDATE SET version = excluded.version,
  updated_at = excluded.updated_at, members = excluded.members, links = excluded.links,
  snapshot = excluded.snapshot, tagging = excluded.tagging
"""
_UPDATE: Final = """
UPDATE profile p SET version = n.version, updated_at = n.updated_at, snapshot = n.snapshot,
  tagging = n.tagging
FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[])
  AS n (profile_id, version, updated_at, snapshot, tagging)
WHERE p.profile_id = n.profile_id
"""
# COPY is planned each time and takes two round trips; it pays from about a hundred rows on.
_FEW_EVENTS: Final = 100
_APPEND: Final = """
INSERT INTO event (profile_id, at, uid, type, received_at, value)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::text[], $5::bigint[], $6::bytea[])
"""
_EVENT_COLUMNS: Final = ("profile_id", "at", "uid", "type", "received_at", "value")


class Row(NamedTuple):
    """A person as they are to be stored."""

    profile_id: str
    version: int
    created_at: Instant
    updated_at: Instant
    members: frozenset[str]
    links: int
    snapshot: bytes
    tagging: bytes


class StoredRow(NamedTuple):
    """A person's row as it stands, not decoded: it may be damaged."""

    profile_id: str
    version: int
    created_at: Instant
    updated_at: Instant
    members: list[str]
    snapshot: bytes
    tagging: bytes


class Logged(NamedTuple):
    """An event in the event log."""

    uid: uuid.UUID
    at: Instant
    value: bytes


async def begin(tx: Connection) -> int:
    """The revision of the tag rules, which stays until commit."""
    revision: int = await tx.fetchval("SELECT begin_batch($1)", TAG_SET_LOCK)
    return revision


async def first_sight(tx: Connection, uids: Iterable[bytes]) -> set[bytes]:
    """Those never seen before. From now on they have been."""
    wanted = [UUID(uid) for uid in sorted(set(uids))]
    return {uid.bytes for (uid,) in await tx.fetch(_FIRST_SIGHT, wanted)} if wanted else set()


async def forget_sight(tx: Connection, uids: Sequence[bytes]) -> None:
    """These could not be applied: when they come again they are new."""
    if uids:
        await tx.execute(
            "DELETE FROM seen_event WHERE uid = ANY($1::uuid[])", list(map(UUID, uids))
        )


async def append_events(tx: Connection, events: Iterable[tuple[str, PersonEvent]]) -> None:
    """Add events to the event log, each under the id of its person."""
    rows = [
        (profile_id, event.at, UUID(event.uid), event.type, event.received_at, event.value)
        for profile_id, event in events
    ]
    if len(rows) > _FEW_EVENTS:
        await tx.copy_records_to_table("event", records=rows, columns=_EVENT_COLUMNS)
    elif rows:
        await tx.execute(_APPEND, *map(list, zip(*rows, strict=True)))


async def history(tx: Connection, profile_ids: Sequence[str]) -> list[Logged]:
    """Every event of a person, who may have had several ids."""
    rows = await tx.fetch(
        "SELECT uid, at, value FROM event WHERE profile_id = ANY($1::text[])", list(profile_ids)
    )
    return [Logged(*row) for row in rows]


async def move_events(
    tx: Connection, profile_ids: Sequence[str], uids: Sequence[bytes], to: str
) -> None:
    """These events are somebody else's."""
    await tx.execute(
        """
        UPDATE event SET profile_id = $3
        WHERE profile_id = ANY($1::text[]) AND uid = ANY($2::uuid[])
        """,
        list(profile_ids),
        list(map(UUID, uids)),
        to,
    )


async def drop_events(tx: Connection, profile_ids: Sequence[str], uids: Sequence[bytes]) -> None:
    """What the platform had concluded itself no longer holds."""
    await tx.execute(
        "DELETE FROM event WHERE profile_id = ANY($1::text[]) AND uid = ANY($2::uuid[])",
        list(profile_ids),
        list(map(UUID, uids)),
    )


async def save(tx: Connection, rows: Sequence[Row]) -> None:
    """Insert people, or replace what is stored of them; existing ones must be locked."""
    if rows:
        await tx.execute(
            _SAVE,
            [row.profile_id for row in rows],
            [row.version for row in rows],
            [row.created_at for row in rows],
            [row.updated_at for row in rows],
            [_array(sorted(row.members)) for row in rows],
            [row.links for row in rows],
            [row.snapshot for row in rows],
            [row.tagging for row in rows],
        )


async def update(tx: Connection, rows: Sequence[Row]) -> None:
    """Replace snapshots of people who are locked; who is linked to them stays."""
    if rows:
        await tx.execute(
            _UPDATE,
            [row.profile_id for row in rows],
            [row.version for row in rows],
            [row.updated_at for row in rows],
            [row.snapshot for row in rows],
            [row.tagging for row in rows],
        )


async def remember_tagging(tx: Connection, taggings: Sequence[tuple[str, Tagging]]) -> None:
    """What is remembered beside the tags has changed, but nothing others see."""
    if taggings:
        await tx.execute(
            """
            UPDATE profile p SET tagging = n.tagging
            FROM unnest($1::text[], $2::bytea[]) AS n (profile_id, tagging)
            WHERE p.profile_id = n.profile_id
            """,
            [profile_id for profile_id, _ in taggings],
            [encode(tagging) for _, tagging in taggings],
        )


async def page_of_people(tx: Connection, after: str, limit: int) -> list[tuple[str, bytes]]:
    """Profile ids behind `after`, in order, with what is remembered beside the tags."""
    rows = await tx.fetch(
        "SELECT profile_id, tagging FROM profile WHERE profile_id > $1 ORDER BY 1 LIMIT $2",
        after,
        limit,
    )
    return [tuple(row) for row in rows]


async def ids_after(connection: Connection, after: str, limit: int) -> list[str]:
    """Profile ids behind `after`, in order."""
    rows = await connection.fetch(
        "SELECT profile_id FROM profile WHERE profile_id > $1 ORDER BY 1 LIMIT $2", after, limit
    )
    return [profile_id for (profile_id,) in rows]


async def count_people(connection: Connection) -> int:
    found: int = await connection.fetchval("SELECT count(*) FROM profile")
    return found


async def lock_rows(tx: Connection, profile_ids: Sequence[str]) -> list[StoredRow]:
    """Those who are still there, locked in the order of their ids."""
    rows = await tx.fetch(
        """
        SELECT profile_id, version, created_at, updated_at, members, snapshot, tagging
        FROM profile WHERE profile_id = ANY($1::text[]) ORDER BY profile_id FOR UPDATE
        """,
        list(profile_ids),
    )
    return [StoredRow(*row) for row in rows]


async def correct_members(tx: Connection, people: Sequence[tuple[str, frozenset[str]]]) -> None:
    """Write down which members people are, where that had got wrong."""
    await tx.execute(
        """
        UPDATE profile p SET members = n.members::text[], links = p.links + 1
        FROM unnest($1::text[], $2::text[]) AS n (profile_id, members)
        WHERE p.profile_id = n.profile_id AND p.members <> n.members::text[]
        """,
        [profile_id for profile_id, _ in people],
        [_array(sorted(members)) for _, members in people],
    )


def _array(texts: Iterable[str]) -> str:
    """PostgreSQL's text form of an array: `unnest` would flatten an array of arrays."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"
