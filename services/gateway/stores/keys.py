"""Keys as they are stored: everything but the secret."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
from msgspec import Struct

from zhiyin.runtime.db import Database

_COLUMNS = "id, digest, name, role, scopes, created_by, created_at, expires_at, revoked_at"
_FIND = f"SELECT {_COLUMNS} FROM api_key WHERE id = $1"  # noqa: S608 - a constant
_ADD = """
INSERT INTO api_key (id, digest, name, role, scopes, created_by, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_LIST = f"SELECT {_COLUMNS} FROM api_key WHERE id > $1 ORDER BY id LIMIT $2"  # noqa: S608
_REVOKE = """
UPDATE api_key SET revoked_at = coalesce(revoked_at, $2) WHERE id = $1 RETURNING revoked_at
"""


class StoredKey(Struct, frozen=True):
    id: str
    digest: bytes
    name: str
    role: str | None
    scopes: frozenset[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class KeyStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def find(self, key_id: str) -> StoredKey | None:
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_FIND, key_id)
        return None if row is None else _key(row)

    async def add(self, key: StoredKey) -> None:
        async with self._db.connection() as connection:
            await connection.execute(
                _ADD,
                key.id,
                key.digest,
                key.name,
                key.role,
                sorted(key.scopes),
                key.created_by,
                key.created_at,
                key.expires_at,
            )

    async def page(self, after: str, limit: int) -> Sequence[StoredKey]:
        """Keys in the order of their ids, revoked and expired ones too."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(_LIST, after, limit)
        return [_key(row) for row in rows]

    async def revoke(self, key_id: str, at: datetime) -> bool:
        """Whether there is such a key. Revoking twice keeps the first time."""
        async with self._db.connection() as connection:
            return await connection.fetchval(_REVOKE, key_id, at) is not None


def _key(row: asyncpg.Record) -> StoredKey:
    return StoredKey(**{**row, "scopes": frozenset(row["scopes"])})
