"""The segment definitions in PostgreSQL: what is in force, and how they come, change and go."""

from collections.abc import Collection, Sequence
from typing import Any, NamedTuple

import msgspec

from services.segmentation.domain.segment_set import Definition
from services.segmentation.store import SEGMENT_SET_LOCK
from zhiyin.contracts.segments import SegmentSpec
from zhiyin.runtime.batch import Connection


class Stored(NamedTuple):
    """A definition row, whole."""

    key: str
    version: int
    revision: int
    name: str
    description: str
    rule: Any
    builtin: bool
    deleted: bool
    asked: bool


async def load(tx: Connection) -> list[Definition]:
    """Every segment in force."""
    rows = await tx.fetch(
        "SELECT key, version, revision, rule::text, asked FROM segment WHERE NOT deleted"
    )
    return [
        Definition(key, version, revision, msgspec.json.decode(rule), asked)
        for key, version, revision, rule, asked in rows
    ]


async def existing(tx: Connection, keys: Collection[str]) -> frozenset[str]:
    """Those of these keys that are segments in force."""
    rows = await tx.fetch(
        "SELECT key FROM segment WHERE key = ANY($1::text[]) AND NOT deleted", list(keys)
    )
    return frozenset(row["key"] for row in rows)


async def lock_set(tx: Connection) -> int:
    """Waits for the batches under way and keeps new ones waiting until commit. Returns the
    revision so far."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", SEGMENT_SET_LOCK)
    revision: int = await tx.fetchval("SELECT revision FROM segment_set")
    return revision


async def set_revision(tx: Connection, revision: int) -> None:
    await tx.execute("UPDATE segment_set SET revision = $1", revision)


async def find(tx: Connection, key: str) -> Stored | None:
    """A segment's row, deleted or not."""
    row = await tx.fetchrow(
        """
        SELECT key, version, revision, name, description, rule::text AS rule, builtin, deleted,
               asked
        FROM segment WHERE key = $1
        """,
        key,
    )
    if row is None:
        return None
    return Stored(*row.values())._replace(rule=msgspec.json.decode(row["rule"]))


async def put(
    tx: Connection, spec: SegmentSpec, version: int, revision: int, *, builtin: bool
) -> None:
    """Insert the segment, or give it its new version."""
    await tx.execute(
        """
        INSERT INTO segment (key, version, revision, name, description, rule, builtin, asked)
        VALUES ($1, $2, $3, $4, $5, $6::text::json, $7, $8)
        ON CONFLICT (key) DO UPDATE SET
          version = excluded.version, revision = excluded.revision, name = excluded.name,
          description = excluded.description, rule = excluded.rule, deleted = false,
          asked = excluded.asked,
          updated_at = clock_timestamp(),
          created_at = CASE WHEN segment.deleted THEN clock_timestamp() ELSE segment.created_at END
        """,
        spec.key,
        version,
        revision,
        spec.name,
        spec.description,
        msgspec.json.encode(spec.rule).decode(),
        builtin,
        spec.trigger_entries,
    )


async def renew(tx: Connection, keys: Sequence[str], revision: int) -> None:
    """The rules of these segments stay as they are but mean something else from now on."""
    await tx.execute(
        "UPDATE segment SET revision = $2 WHERE key = ANY($1::text[])", list(keys), revision
    )


async def rename(tx: Connection, spec: SegmentSpec) -> None:
    """New words for the same rule."""
    await tx.execute(
        """
        UPDATE segment SET name = $2, description = $3, updated_at = clock_timestamp()
        WHERE key = $1
        """,
        spec.key,
        spec.name,
        spec.description,
    )


async def mark_deleted(tx: Connection, key: str) -> None:
    await tx.execute(
        "UPDATE segment SET deleted = true, updated_at = clock_timestamp() WHERE key = $1", key
    )


async def restart_backfill(tx: Connection, partitions: Sequence[int], target: int) -> None:
    """Everybody is to be brought up to revision `target`, from the start of each partition."""
    await tx.execute(
        """
        INSERT INTO backfill (partition, done, target, cursor, seen, total)
        SELECT partition, 0, $2, '', 0, 0 FROM unnest($1::int[]) AS p (partition)
        ORDER BY partition
        ON CONFLICT (partition) DO UPDATE SET target = excluded.target, cursor = '', seen = 0
        """,
        list(partitions),
        target,
    )
