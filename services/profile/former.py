"""People merged away, in PostgreSQL: merging keeps what it takes to part them again."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from services.profile.domain.parting import Former, Parting
from services.profile.graph import Locked
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Tag
from zhiyin.runtime.batch import Connection

_pack: Final = msgspec.msgpack.Encoder(order="deterministic").encode
_tags: Final = msgspec.msgpack.Decoder(dict[str, Tag]).decode


class Merge(Struct, frozen=True):
    """Two people, both locked, of whom `gone` becomes part of `kept`. `version`: of the message
    that says so."""

    gone: Locked
    kept: Locked
    version: int


async def absorb(tx: Connection, merges: Sequence[Merge], now: Instant) -> None:
    """Identifiers and aliases lead to the kept person, the rows of the others go."""
    if not merges:
        return
    gone = [one.gone.profile_id for one in merges]
    kept = [one.kept.profile_id for one in merges]
    await tx.execute(
        """
        UPDATE identity i SET profile_id = m.kept, former = coalesce(i.former, m.gone)
        FROM unnest($1::text[], $2::text[]) AS m (gone, kept) WHERE i.profile_id = m.gone
        """,
        gone,
        kept,
    )
    await tx.execute(
        """
        UPDATE alias a SET kept = m.kept
        FROM unnest($1::text[], $2::text[]) AS m (gone, kept) WHERE a.kept = m.gone
        """,
        gone,
        kept,
    )
    await tx.execute(
        """
        INSERT INTO alias
          (profile_id, kept, joined, merged_at, created_at, version, tags, kept_tags)
        SELECT gone, kept, kept, $3, created_at, version, tags, kept_tags
        FROM unnest($1::text[], $2::text[], $4::bigint[], $5::bigint[], $6::bytea[], $7::bytea[])
          AS m (gone, kept, created_at, version, tags, kept_tags)
        """,
        gone,
        kept,
        now,
        [one.gone.snapshot.created_at for one in merges],
        [one.version for one in merges],
        [_pack(one.gone.snapshot.tags) for one in merges],
        [_pack(one.kept.snapshot.tags) for one in merges],
    )
    await tx.execute("DELETE FROM profile WHERE profile_id = ANY($1::text[])", gone)


async def formers(tx: Connection, profile_id: str) -> list[Former]:
    """Everybody merged into a person, earliest merge first."""
    rows = await tx.fetch(
        """
        SELECT profile_id, joined, merged_at, created_at, version, tags, kept_tags
        FROM alias WHERE kept = $1 ORDER BY merged_at, profile_id
        """,
        profile_id,
    )
    return [_former(*row) for row in rows]


def _former(
    profile_id: str,
    joined: str | None,
    merged_at: Instant,
    created_at: Instant | None,
    version: int,
    tags: bytes | None,
    kept_tags: bytes | None,
) -> Former:
    return Former(
        profile_id,
        joined,
        merged_at,
        created_at,
        version,
        {} if tags is None else _tags(tags),
        {} if kept_tags is None else _tags(kept_tags),
    )


async def part(tx: Connection, staying: str, new_id: str, parting: Parting, at: Instant) -> None:
    """Identifiers and former people leave `staying`, who is locked, and go under `new_id`. Events
    do not join the two again; only an operator does."""
    back = sorted(parting.ids)
    await tx.execute(
        """
        UPDATE identity i SET profile_id = $1,
          former = CASE WHEN i.former = ANY($2::text[]) AND i.former <> $1 THEN i.former END,
          via = CASE WHEN i.via = ANY($2::text[]) AND i.via <> $1 THEN i.via END
        FROM unnest($3::text[], $4::text[]) AS w (namespace, token)
        WHERE i.namespace = w.namespace AND i.token = w.token
        """,
        new_id,
        back,
        [namespace for namespace, _ in parting.leaving],
        [token for _, token in parting.leaving],
    )
    await tx.execute("DELETE FROM alias WHERE profile_id = $1", new_id)
    await tx.execute(
        """
        UPDATE alias SET kept = $1,
          joined = CASE WHEN joined = ANY($2::text[]) THEN joined ELSE $1 END
        WHERE profile_id = ANY($2::text[])
        """,
        new_id,
        back,
    )
    await tx.execute(
        "INSERT INTO parted (one, other, at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        staying,
        new_id,
        at,
    )
