"""What the API asks PostgreSQL. Nothing here locks or writes."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from services.segmentation.domain.person import PersonCopy
from services.segmentation.domain.state import decode_state
from zhiyin.contracts.instants import Instant, instant
from zhiyin.runtime.batch import Connection


class SegmentRow(NamedTuple):
    """A segment in force. `live`: everybody has been brought up to its version; `seen` of `total`
    people are while that is under way."""

    key: str
    version: int
    name: str
    description: str
    rule: Any
    builtin: bool
    created_at: Instant
    updated_at: Instant
    members: int
    live: bool
    seen: int
    total: int


_SEGMENTS = """
    WITH walk AS (
      SELECT coalesce(min(done), 0) AS done, coalesce(sum(seen), 0)::bigint AS seen,
             coalesce(sum(greatest(total, seen)), 0)::bigint AS total
      FROM backfill
    )
    SELECT s.key, s.version, s.name, s.description, s.rule::text AS rule, s.builtin,
           s.created_at, s.updated_at,
           (SELECT coalesce(sum(t.members), 0)::bigint FROM tally t WHERE t.segment = s.key)
             AS members,
           walk.done >= s.revision AS live, walk.seen, walk.total
    FROM segment s, walk
    WHERE NOT s.deleted AND ($1::text IS NULL OR s.key = $1)
    ORDER BY s.key
"""


async def segments(connection: Connection, key: str | None = None) -> list[SegmentRow]:
    """All segments in force, or the one of that key."""
    rows = [SegmentRow(*row.values()) for row in await connection.fetch(_SEGMENTS, key)]
    return [
        row._replace(
            rule=msgspec.json.decode(row.rule),
            created_at=instant(row.created_at),  # type: ignore[arg-type]
            updated_at=instant(row.updated_at),  # type: ignore[arg-type]
        )
        for row in rows
    ]


async def names(connection: Connection, keys: Collection[str]) -> dict[str, str]:
    """What these segments are called."""
    rows = await connection.fetch(
        "SELECT key, name FROM segment WHERE key = ANY($1::text[])", sorted(keys)
    )
    return {row["key"]: row["name"] for row in rows}


class Member(NamedTuple):
    profile_id: str
    since: Instant
    rule_version: int


async def members(connection: Connection, segment: str, after: str, limit: int) -> list[Member]:
    """Members by profile id, from the one behind `after`."""
    rows = await connection.fetch(
        """
        SELECT profile_id, since, rule_version FROM membership
        WHERE segment = $1 AND profile_id > $2 ORDER BY profile_id LIMIT $3
        """,
        segment,
        after,
        limit,
    )
    return [Member(profile_id, instant(since), version) for profile_id, since, version in rows]


class DaySize(NamedTuple):
    day: date
    entered: int
    left: int
    members: int


async def sizes(connection: Connection, segment: str, days: int) -> list[DaySize]:
    """How many came, went and were there at the end of each of the newest `days` days on which
    anything changed, oldest first. Counted back from how many there are now, because days that
    are too old are not kept."""
    rows = await connection.fetch(
        """
        SELECT day, entered, "left", members FROM (
          SELECT day, sum(entered)::bigint AS entered, sum("left")::bigint AS "left",
                 (SELECT coalesce(sum(members), 0) FROM tally WHERE segment = $1)::bigint
                 - coalesce(sum(sum(entered - "left")) OVER (
                     ORDER BY day DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
                   ), 0)::bigint AS members
          FROM tally_day WHERE segment = $1 GROUP BY day ORDER BY day DESC LIMIT $2
        ) newest ORDER BY day
        """,
        segment,
        days,
    )
    return [DaySize(*row.values()) for row in rows]


async def people(connection: Connection, profile_ids: Sequence[str]) -> list[PersonCopy]:
    """Copies, of those who are known."""
    rows = await connection.fetch(
        """
        SELECT profile_id, partition, version, sequence, state, snapshot IS NULL AS gone
        FROM person WHERE profile_id = ANY($1::text[])
        """,
        list(profile_ids),
    )
    return [
        PersonCopy(
            row["profile_id"],
            row["partition"],
            row["version"],
            row["sequence"],
            decode_state(row["state"]),
            row["gone"],
        )
        for row in rows
    ]


class Packed(NamedTuple):
    profile_id: str
    snapshot: bytes
    state: bytes


async def packed_people(connection: Connection, after: str, limit: int) -> list[Packed]:
    """A page of everybody who is not gone, by profile id."""
    rows = await connection.fetch(
        """
        SELECT profile_id, snapshot, state FROM person
        WHERE profile_id > $1 AND snapshot IS NOT NULL ORDER BY profile_id LIMIT $2
        """,
        after,
        limit,
    )
    return [Packed(*row.values()) for row in rows]


async def some_snapshots(connection: Connection, most: int) -> list[bytes]:
    """Snapshots of people picked at random, page by page of the table; of everybody where there
    are few."""
    rows = await connection.fetch(
        """
        SELECT snapshot FROM person TABLESAMPLE SYSTEM ((
          SELECT CASE WHEN reltuples < $1 * 20 THEN 100.0 ELSE 100.0 * $1 * 4 / reltuples END
          FROM pg_class WHERE oid = 'person'::regclass
        ))
        WHERE snapshot IS NOT NULL LIMIT $1
        """,
        most,
    )
    return [row["snapshot"] for row in rows]


class PackedMember(NamedTuple):
    profile_id: str
    since: Instant
    rule_version: int
    snapshot: bytes


async def packed_members(
    connection: Connection, segment: str, after: str, limit: int
) -> list[PackedMember]:
    """As `members`, each with their snapshot."""
    rows = await connection.fetch(
        """
        SELECT m.profile_id, m.since, m.rule_version, p.snapshot
        FROM membership m JOIN person p USING (profile_id)
        WHERE m.segment = $1 AND m.profile_id > $2 AND p.snapshot IS NOT NULL
        ORDER BY m.profile_id LIMIT $3
        """,
        segment,
        after,
        limit,
    )
    return [
        PackedMember(profile_id, instant(since), version, snapshot)
        for profile_id, since, version, snapshot in rows
    ]


async def packed_person(connection: Connection, profile_id: str) -> Packed | None:
    row = await connection.fetchrow(
        """
        SELECT profile_id, snapshot, state FROM person
        WHERE profile_id = $1 AND snapshot IS NOT NULL
        """,
        profile_id,
    )
    return Packed(*row.values()) if row else None


async def now(connection: Connection) -> Instant:
    """The database's instant, by which everything is decided."""
    return instant(await connection.fetchval("SELECT clock_timestamp()"))
