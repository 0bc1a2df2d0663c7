"""Tag rules as they are stored."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec

from services.profile.domain.tag_set import Definition
from services.profile.store import TAG_SET_LOCK
from zhiyin.contracts.instants import instant, rfc3339
from zhiyin.contracts.tag_rules import TagRuleSpec, TagRuleView
from zhiyin.runtime.batch import Connection

_COLUMNS: Final = (
    "tag, version, name, tag_rule.rule::text AS rule, ttl, deleted, created_at, updated_at, "
    "description, name_en, description_en, "
    "revision > (SELECT settled FROM tag_set) AS spreading"
)


class StoredRule(NamedTuple):
    version: int
    rule: Any
    deleted: bool
    view: TagRuleView


async def load(tx: Connection) -> list[Definition]:
    """Every rule in force."""
    return [
        Definition(tag, version, msgspec.json.decode(rule), ttl, revision)
        for tag, version, rule, ttl, revision in await tx.fetch(
            "SELECT tag, version, rule::text, ttl, revision FROM tag_rule WHERE NOT deleted"
        )
    ]


async def find(tx: Connection, tag: str) -> StoredRule | None:
    """The rule of a tag, deleted or not."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM tag_rule WHERE tag = $1", tag)  # noqa: S608 - constant
    return None if row is None else _stored(row)


async def every(tx: Connection) -> Mapping[str, StoredRule]:
    """The rules of all tags, deleted or not."""
    rows = await tx.fetch(f"SELECT {_COLUMNS} FROM tag_rule")  # noqa: S608 - constant
    return {row["tag"]: _stored(row) for row in rows}


async def page(connection: Connection, after: str, limit: int) -> list[TagRuleView]:
    """Rules in force by name, those behind `after`."""
    rows = await connection.fetch(
        f"SELECT {_COLUMNS} FROM tag_rule WHERE NOT deleted AND tag > $1 ORDER BY tag LIMIT $2",  # noqa: S608 - constant
        after,
        limit,
    )
    return [_stored(row).view for row in rows]


async def lock_set(tx: Connection) -> int:
    """Waits for the batches under way and keeps new ones waiting until commit. Returns the
    revision so far."""
    await tx.execute("SELECT pg_advisory_xact_lock($1)", TAG_SET_LOCK)
    revision: int = await tx.fetchval("SELECT revision FROM tag_set")
    return revision


async def set_revision(tx: Connection, revision: int) -> None:
    await tx.execute("UPDATE tag_set SET revision = $1", revision)


async def put(
    tx: Connection, tag: str, spec: TagRuleSpec, version: int, revision: int
) -> TagRuleView:
    """`revision`: of the tag set in which this rule, if it changes, is first in force."""
    row = await tx.fetchrow(
        f"""
        INSERT INTO tag_rule
          (tag, version, name, rule, ttl, description, name_en, description_en, revision)
        VALUES ($1, $2, $3, $4::text::jsonb, $5, $6, $7, $8, $9)
        ON CONFLICT (tag) DO UPDATE SET version = excluded.version, name = excluded.name,
          rule = excluded.rule, ttl = excluded.ttl, deleted = false,
          description = excluded.description, name_en = excluded.name_en,
          description_en = excluded.description_en,
          revision = CASE WHEN tag_rule.version = excluded.version THEN tag_rule.revision
                     ELSE excluded.revision END,
          updated_at = clock_timestamp(),
          created_at = CASE WHEN tag_rule.deleted THEN clock_timestamp()
                       ELSE tag_rule.created_at END
        RETURNING {_COLUMNS}
        """,  # noqa: S608 - constant
        tag,
        version,
        spec.name,
        msgspec.json.encode(spec.rule).decode(),
        spec.ttl,
        spec.description,
        spec.name_en,
        spec.description_en,
        revision,
    )
    return _stored(row).view


async def mark_deleted(tx: Connection, tag: str) -> None:
    await tx.execute(
        "UPDATE tag_rule SET deleted = true, updated_at = clock_timestamp() WHERE tag = $1", tag
    )


def _stored(row: Any) -> StoredRule:
    view = TagRuleView(
        row["tag"],
        row["name"],
        msgspec.json.decode(row["rule"]),
        row["ttl"],
        row["version"],
        rfc3339(instant(row["created_at"])),
        rfc3339(instant(row["updated_at"])),
        "tagging" if row["spreading"] else "live",
        row["description"],
        row["name_en"],
        row["description_en"],
    )
    return StoredRule(row["version"], view.rule, row["deleted"], view)
