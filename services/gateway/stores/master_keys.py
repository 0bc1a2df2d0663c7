"""Under which master key the vault seals, and wrapping older data keys anew."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

import asyncpg
from msgspec import Struct

from services.gateway.sealing import Sealed, Sealer, place_of
from zhiyin.runtime.db import Database

_CURRENT = "SELECT version, used_since, rewrapped_at FROM master_key"
_USE = """
UPDATE master_key SET version = $1, used_since = clock_timestamp(), rewrapped_at = NULL
WHERE version < $1 RETURNING version
"""
_REWRAPPED = """
UPDATE master_key SET rewrapped_at = clock_timestamp()
WHERE version = $1 AND rewrapped_at IS NULL
"""
_PAGE = """
SELECT namespace, token, master, wrapped, sealed FROM vault
WHERE master < $1 AND (namespace, token) > ($2, $3)
ORDER BY namespace, token LIMIT $4 FOR UPDATE SKIP LOCKED
"""
_WRAP = """
UPDATE vault v SET master = n.master, wrapped = n.wrapped
FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[]) AS n (namespace, token, master, wrapped)
WHERE v.namespace = n.namespace AND v.token = n.token
"""
_BY_VERSION = "SELECT master, count(*) FROM vault GROUP BY master ORDER BY master"

Place = tuple[str, str]
START: Final[Place] = ("", "")


class MasterKey(Struct, frozen=True):
    """`rewrapped_at` None: values under older keys may be left."""

    version: int
    used_since: datetime
    rewrapped_at: datetime | None


class MasterKeyStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def current(self) -> MasterKey:
        async with self._db.connection() as connection:
            return MasterKey(*await connection.fetchrow(_CURRENT))

    async def use(self, version: int) -> bool:
        """Seal under this one from now on; False unless it is newer."""
        async with self._db.connection() as connection:
            return await connection.fetchval(_USE, version) is not None

    async def values(self) -> Mapping[int, int]:
        """How many values are under each version."""
        async with self._db.connection() as connection:
            return dict(await connection.fetch(_BY_VERSION))

    async def rewrap_page(
        self, sealer: Sealer, version: int, after: Place, limit: int
    ) -> Place | None:
        """Wrap some data keys behind `after` anew; behind which to go on, None at the end. The
        values themselves stay as they are."""
        async with self._db.transaction() as tx:
            rows = await tx.fetch(_PAGE, version, *after, limit)
            wrapped = [(row["namespace"], row["token"], *_anew(sealer, row)[:2]) for row in rows]
            if wrapped:
                await tx.execute(_WRAP, *map(list, zip(*wrapped, strict=True)))
        return None if not rows else (rows[-1]["namespace"], rows[-1]["token"])

    async def rewrapped(self, version: int) -> None:
        """A walk over everything has found nothing older."""
        async with self._db.connection() as connection:
            await connection.execute(_REWRAPPED, version)


def _anew(sealer: Sealer, row: asyncpg.Record) -> Sealed:
    sealed = Sealed(row["master"], row["wrapped"], row["sealed"])
    return sealer.rewrap(sealed, place_of(row["namespace"], row["token"]))
