"""Keys as they are stored: everything but the secret."""

from collections.abc import Collection, Sequence
from datetime import datetime

import asyncpg
from msgspec import Struct

from zhiyin.runtime.db import Database

_COLUMNS = (
    "id, digest, name, role, scopes, created_by, created_at, expires_at, revoked_at, brands, "
    "replaced_by, last_used_at"
)
_FIND = f"SELECT {_COLUMNS} FROM api_key WHERE id = $1"  # noqa: S608 - a constant
_ADD = """
INSERT INTO api_key (id, digest, name, role, scopes, created_by, created_at, expires_at, brands)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
"""
_LIST = f"SELECT {_COLUMNS} FROM api_key WHERE id > $1 ORDER BY id LIMIT $2"  # noqa: S608
_REVOKE = """
UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING revoked_at
"""
# One that is replaced, revoked or expired already is not rotated again.
_REPLACE = """
UPDATE api_key SET replaced_by = $2, expires_at = least(coalesce(expires_at, $3), $3)
WHERE id = $1 AND replaced_by IS NULL AND revoked_at IS NULL
  AND (expires_at IS NULL OR expires_at > $4)
"""
# Locked in the order of their ids, because other gateways write the same keys.
_USED = """
WITH used AS (SELECT id FROM api_key WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE)
UPDATE api_key k SET last_used_at = greatest(last_used_at, $2) FROM used WHERE k.id = used.id
"""


class StoredKey(Struct, frozen=True):
    """`brands` None: campaigns of all brands. `last_used_at` is right to some seconds."""

    id: str
    digest: bytes
    name: str
    role: str | None
    scopes: frozenset[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    brands: frozenset[str] | None = None
    replaced_by: str | None = None
    last_used_at: datetime | None = None


class KeyStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, key_id: str) -> StoredKey | None:
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_FIND, key_id)
        return None if row is None else _key(row)

    async def add(self, key: StoredKey) -> None:
        async with self._db.connection() as connection:
            await connection.execute(_ADD, *_row(key))

    async def replace(
        self, old_id: str, new: StoredKey, old_until: datetime, now: datetime
    ) -> bool:
        """Put `new` in the place of a key, which works until `old_until` still; False, and
        nothing done, if that one is of no use any more."""
        async with self._db.transaction() as tx:
            status: str = await tx.execute(_REPLACE, old_id, new.id, old_until, now)
            if status != "UPDATE 1":
                return False
            await tx.execute(_ADD, *_row(new))
        return True

    async def used(self, key_ids: Collection[str], at: datetime) -> None:
        """These were used lately."""
        async with self._db.connection() as connection:
            await connection.execute(_USED, list(key_ids), at)

    async def page(self, after: str, limit: int) -> Sequence[StoredKey]:
        """Keys in the order of their ids, revoked and expired ones too."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(_LIST, after, limit)
        return [_key(row) for row in rows]

    async def revoke(self, key_id: str, at: datetime) -> bool:
        """Whether there is such a key. Revoking twice keeps the first time."""
        async with self._db.connection() as connection:
            return await connection.fetchval(_REVOKE, key_id, at) is not None


def _row(key: StoredKey) -> tuple[object, ...]:
    return (
        key.id,
        key.digest,
        key.name,
        key.role,
        sorted(key.scopes),
        key.created_by,
        key.created_at,
        key.expires_at,
        None if key.brands is None else sorted(key.brands),
    )


def _key(row: asyncpg.Record) -> StoredKey:
    brands = None if row["brands"] is None else frozenset(row["brands"])
    return StoredKey(**{**row, "scopes": frozenset(row["scopes"]), "brands": brands})
