"""The tracking plan in PostgreSQL: one row per source and type."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from services.gateway.domain.tracking import Pair, Tally, example_of
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.db import Database

# Sums of two objects of counts, name by name.
_ADDED: Final = """(
  SELECT coalesce(jsonb_object_agg(name, count), '{{}}') FROM (
    SELECT name, sum(value::bigint) AS count
    FROM (SELECT * FROM jsonb_each_text(t.{0}) UNION ALL
          SELECT * FROM jsonb_each_text(excluded.{0})) AS n (name, value)
    GROUP BY name ORDER BY 2 DESC LIMIT 500) AS most)"""
_ADD: Final = f"""
INSERT INTO tracking AS t
  (source, type, accepted, rejected, first_at, last_at, refusals, unknown, example)
SELECT source, type, accepted, rejected, first_at, last_at, refusals::jsonb, unknown::jsonb,
       example::jsonb
FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[],
            $7::text[], $8::text[], $9::text[])
  AS n (source, type, accepted, rejected, first_at, last_at, refusals, unknown, example)
ORDER BY source, type
ON CONFLICT (source, type) DO UPDATE SET
  accepted = t.accepted + excluded.accepted, rejected = t.rejected + excluded.rejected,
  first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at),
  refusals = {_ADDED.format("refusals")}, unknown = {_ADDED.format("unknown")},
  example = CASE WHEN excluded.last_at >= t.last_at THEN coalesce(excluded.example, t.example)
            ELSE t.example END
"""  # noqa: S608 - our own constants
_PAGE: Final = """
SELECT source, type, accepted, rejected, first_at, last_at, refusals::text, unknown::text,
       example::text
FROM tracking WHERE (source, type) > ($1, $2)
  AND ($3::text IS NULL OR source = $3) AND ($4::text IS NULL OR type = $4)
ORDER BY source, type LIMIT $5
"""


class Tracked(Struct, frozen=True):
    source: str
    type: str
    accepted: int
    rejected: int
    first_at: Instant
    last_at: Instant
    refusals: dict[str, int]
    unknown: dict[str, int]
    example: dict[str, Any] | None


class TrackingStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, tallies: Mapping[Pair, Tally]) -> None:
        """Count these in."""
        rows = [_row(pair, tallies[pair]) for pair in tallies]
        if rows:
            async with self._db.connection() as connection:
                await connection.execute(_ADD, *map(list, zip(*rows, strict=True)))

    async def page(
        self, after: tuple[str, str], source: str | None, event_type: str | None, limit: int
    ) -> Sequence[Tracked]:
        """By source and type, from behind `after`."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(_PAGE, *after, source, event_type, limit)
        return [_tracked(tuple(row)) for row in rows]


def _row(pair: Pair, tally: Tally) -> tuple[object, ...]:
    example = None if tally.newest is None else example_of(pair.type, tally.newest)
    return (
        pair.source,
        pair.type,
        tally.accepted,
        tally.rejected,
        tally.first_at,
        tally.last_at,
        _text(tally.refusals),
        _text(tally.unknown),
        None if example is None else _text(example),
    )


def _tracked(row: tuple[Any, ...]) -> Tracked:
    source, kind, accepted, rejected, first_at, last_at, refusals, unknown, example = row
    return Tracked(
        source,
        kind,
        accepted,
        rejected,
        first_at,
        last_at,
        msgspec.json.decode(refusals),
        msgspec.json.decode(unknown),
        None if example is None else msgspec.json.decode(example),
    )


def _text(document: Any) -> str:
    return msgspec.json.encode(document).decode()
