"""Erasures in PostgreSQL: asked for, under way, done."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import asyncpg
import msgspec
from msgspec import Struct

from zhiyin.runtime.db import Database

_COLUMNS: Final = (
    "id, profile_id, requested_at, requested_by, reason, tokens, forgotten, forgotten_at,"
    " completed_at, found::text AS found, receipt::text AS receipt"
)
_OPEN = """
INSERT INTO erasure (id, profile_id, profile_ids, requested_by, reason)
VALUES ($1, $2, ARRAY[$2], $3, $4) ON CONFLICT (profile_id) DO NOTHING RETURNING id
"""
_FIND = f"SELECT {_COLUMNS} FROM erasure WHERE id = $1"  # noqa: S608 - a constant
_OF_PROFILE = "SELECT id FROM erasure WHERE profile_ids @> ARRAY[$1] LIMIT 1"
_CLAIM = f"""
UPDATE erasure SET leased_until = clock_timestamp() + $2 * interval '1 second'
WHERE id IN (SELECT id FROM erasure WHERE completed_at IS NULL AND leased_until < clock_timestamp()
             ORDER BY leased_until LIMIT $1 FOR UPDATE SKIP LOCKED)
RETURNING {_COLUMNS}
"""  # noqa: S608 - a constant
_AGAIN = """
UPDATE erasure SET leased_until = clock_timestamp() + $2 * interval '1 second' WHERE id = $1
"""
_FORGETTING = "UPDATE erasure SET tokens = $2, profile_ids = $3, found = $4 WHERE id = $1"
_FORGOTTEN = """
UPDATE erasure SET forgotten = forgotten + $2,
  forgotten_at = coalesce(forgotten_at, clock_timestamp()) WHERE id = $1
"""
_COMPLETE = """
UPDATE erasure SET completed_at = clock_timestamp(), receipt = $2, tokens = '{}' WHERE id = $1
"""
_TOKENS = "SELECT DISTINCT unnest(tokens) FROM erasure WHERE completed_at IS NULL"


class Erasure(Struct, frozen=True):
    """`found`: what the services had erased when the vault was to forget; `forgotten`: values gone
    from it; `receipt` None until it is completed."""

    id: str
    profile_id: str
    requested_at: datetime
    requested_by: str
    reason: str
    tokens: tuple[str, ...]
    forgotten: int
    forgotten_at: datetime | None
    completed_at: datetime | None
    found: Any
    receipt: Any


class ErasureStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def open(self, erasure_id: str, profile_id: str, actor: str, reason: str) -> bool:
        """False if this person is erased already, or about to be."""
        async with self._db.connection() as connection:
            return (
                await connection.fetchval(_OPEN, erasure_id, profile_id, actor, reason) is not None
            )

    async def find(self, erasure_id: str) -> Erasure | None:
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_FIND, erasure_id)
        return None if row is None else _erasure(row)

    async def of_profile(self, profile_id: str) -> str | None:
        """The erasure of whoever had this profile id."""
        async with self._db.connection() as connection:
            found: str | None = await connection.fetchval(_OF_PROFILE, profile_id)
        return found

    async def claim(self, limit: int, seconds: float) -> Sequence[Erasure]:
        """Some that are not completed; nobody else gets them for so long."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(_CLAIM, limit, seconds)
        return [_erasure(row) for row in rows]

    async def again(self, erasure_id: str, seconds: float) -> None:
        """Give it back, to be looked at again after so long."""
        await self._execute(_AGAIN, erasure_id, seconds)

    async def forgetting(
        self, erasure_id: str, tokens: Sequence[str], profile_ids: Sequence[str], found: Any
    ) -> None:
        """The vault is about to forget these; `found`: what the services have erased."""
        packed = msgspec.json.encode(found).decode()
        await self._execute(_FORGETTING, erasure_id, list(tokens), list(profile_ids), packed)

    async def forgotten(self, erasure_id: str, count: int) -> None:
        await self._execute(_FORGOTTEN, erasure_id, count)

    async def complete(self, erasure_id: str, receipt: Any) -> None:
        await self._execute(_COMPLETE, erasure_id, msgspec.json.encode(receipt).decode())

    async def tokens(self) -> Sequence[str]:
        """What is being forgotten at the moment."""
        async with self._db.connection() as connection:
            return [token for (token,) in await connection.fetch(_TOKENS)]

    async def _execute(self, statement: str, *values: object) -> None:
        async with self._db.connection() as connection:
            await connection.execute(statement, *values)


def _erasure(row: asyncpg.Record) -> Erasure:
    return Erasure(
        row["id"],
        row["profile_id"],
        row["requested_at"],
        row["requested_by"],
        row["reason"],
        tuple(row["tokens"]),
        row["forgotten"],
        row["forgotten_at"],
        row["completed_at"],
        _document(row["found"]),
        _document(row["receipt"]),
    )


def _document(text: str | None) -> Any:
    return None if text is None else msgspec.json.decode(text)
