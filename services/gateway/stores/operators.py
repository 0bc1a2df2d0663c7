"""Operators as they are stored: who they are is in the vault, the rest here."""

from collections.abc import Sequence
from typing import Final

import asyncpg
from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.db import Database

_COLUMNS: Final = (
    "id, email, role, brands, active, password, must_change, totp_at, totp_step, created_at, "
    "created_by, signed_in_at, subject IS NOT NULL AS elsewhere"
)
_SELECT: Final = f"SELECT {_COLUMNS} FROM operator WHERE erased_at IS NULL"  # noqa: S608
_ADD: Final = """
INSERT INTO operator
  (id, email, role, brands, password, must_change, subject, created_at, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING RETURNING id
"""
# Two admins who demote each other at once would leave none: changes of who is one take turns.
_ADMINS: Final = "SELECT pg_advisory_xact_lock(hashtext('gateway.admins'))"
_ANOTHER_ADMIN: Final = """
SELECT EXISTS (SELECT FROM operator WHERE role = 'admin' AND active AND id <> $1)
"""
_CHANGE: Final = """
UPDATE operator SET role = $2, brands = $3, active = $4 WHERE id = $1 AND erased_at IS NULL
"""
_PASSWORD: Final = "UPDATE operator SET password = $2, must_change = $3 WHERE id = $1"
# A step of the clock is taken once, whatever happens at the same time elsewhere.
_TAKE_STEP: Final = """
UPDATE operator SET totp_step = $2
WHERE id = $1 AND (totp_step IS NULL OR totp_step < $2) RETURNING id
"""
_ENROL: Final = """
UPDATE operator SET totp_at = $2, totp_step = $3, recovery = $4
WHERE id = $1 AND totp_at IS NULL RETURNING id
"""
_DISENROL: Final = """
UPDATE operator SET totp_at = NULL, totp_step = NULL, recovery = '{}' WHERE id = $1
"""
_RECOVERY: Final = "UPDATE operator SET recovery = $2 WHERE id = $1"
_USE_RECOVERY: Final = """
UPDATE operator SET recovery = array_remove(recovery, $2)
WHERE id = $1 AND $2 = ANY(recovery) RETURNING cardinality(recovery)
"""
_BIND: Final = "UPDATE operator SET subject = $2 WHERE id = $1 AND subject IS NULL RETURNING id"
_ERASE: Final = """
UPDATE operator SET email = NULL, password = NULL, subject = NULL, active = false, totp_at = NULL,
  recovery = '{}', erased_at = $2
WHERE id = $1 AND erased_at IS NULL
"""


class Operator(Struct, frozen=True):
    """`email` is a token, `password` a hash (None: signs in elsewhere), `totp_at` since when codes
    are asked for, `elsewhere` whether an identity provider knows them."""

    id: str
    email: str
    role: str
    brands: frozenset[str] | None
    active: bool
    password: str | None
    must_change: bool
    totp_at: Instant | None
    totp_step: int | None
    created_at: Instant
    created_by: str
    signed_in_at: Instant | None
    elsewhere: bool


class NewOperator(Struct, frozen=True, kw_only=True):
    id: str
    email: str
    role: str
    brands: frozenset[str] | None
    password: str | None
    must_change: bool
    subject: bytes | None = None


class OperatorStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, new: NewOperator, at: Instant, by: str) -> bool:
        """False if the e-mail address is taken."""
        brands = None if new.brands is None else sorted(new.brands)
        row = (new.id, new.email, new.role, brands, new.password, new.must_change, new.subject)
        async with self._db.connection() as connection:
            return await connection.fetchval(_ADD, *row, at, by) is not None

    async def find(self, operator_id: str) -> Operator | None:
        return await self._one("id", operator_id)

    async def by_email(self, token: str) -> Operator | None:
        return await self._one("email", token)

    async def by_subject(self, subject: bytes) -> Operator | None:
        return await self._one("subject", subject)

    async def page(self, after: str, limit: int) -> Sequence[Operator]:
        """In the order of their ids."""
        query = f"{_SELECT} AND id > $1 ORDER BY id LIMIT $2"
        async with self._db.connection() as connection:
            return [_operator(row) for row in await connection.fetch(query, after, limit)]

    async def change(
        self, operator_id: str, role: str, brands: frozenset[str] | None, active: bool
    ) -> bool:
        """False, and nothing done, if nobody would be left who is an active admin."""
        async with self._db.transaction() as tx:
            await tx.execute(_ADMINS)
            stays = role == "admin" and active
            if not stays and not await _dispensable(tx, operator_id):
                return False
            listed = None if brands is None else sorted(brands)
            await tx.execute(_CHANGE, operator_id, role, listed, active)
        return True

    async def erase(self, operator_id: str, at: Instant) -> bool:
        """Leaves the id, which the audit trail names. False for the last active admin."""
        async with self._db.transaction() as tx:
            await tx.execute(_ADMINS)
            if not await _dispensable(tx, operator_id):
                return False
            await tx.execute(_ERASE, operator_id, at)
        return True

    async def set_password(self, operator_id: str, hashed: str, must_change: bool) -> None:
        await self._do(_PASSWORD, operator_id, hashed, must_change)

    async def take_step(self, operator_id: str, step: int) -> bool:
        """False for a step whose code was taken already, or one before it."""
        return await self._do(_TAKE_STEP, operator_id, step)

    async def enrol(
        self, operator_id: str, at: Instant, step: int, recovery: Sequence[bytes]
    ) -> bool:
        """Codes are asked for from now on; False if they are already."""
        return await self._do(_ENROL, operator_id, at, step, list(recovery))

    async def disenrol(self, operator_id: str) -> None:
        await self._do(_DISENROL, operator_id)

    async def set_recovery(self, operator_id: str, recovery: Sequence[bytes]) -> None:
        await self._do(_RECOVERY, operator_id, list(recovery))

    async def use_recovery(self, operator_id: str, digest: bytes) -> bool:
        """Whether it was one of theirs; it is none any more."""
        return await self._do(_USE_RECOVERY, operator_id, digest)

    async def bind(self, operator_id: str, subject: bytes) -> bool:
        """The identity provider's subject is this operator from now on."""
        return await self._do(_BIND, operator_id, subject)

    async def signed_in(self, operator_id: str, at: Instant) -> None:
        await self._do("UPDATE operator SET signed_in_at = $2 WHERE id = $1", operator_id, at)

    async def _one(self, column: str, value: object) -> Operator | None:
        async with self._db.connection() as connection:
            row = await connection.fetchrow(f"{_SELECT} AND {column} = $1", value)
        return None if row is None else _operator(row)

    async def _do(self, statement: str, *values: object) -> bool:
        async with self._db.connection() as connection:
            return await connection.fetchval(statement, *values) is not None


async def _dispensable(tx: asyncpg.Connection, operator_id: str) -> bool:
    """Whether somebody else is an active admin, or this one is none."""
    if await tx.fetchval(_ANOTHER_ADMIN, operator_id):
        return True
    query = "SELECT NOT (role = 'admin' AND active) FROM operator WHERE id = $1"
    return bool(await tx.fetchval(query, operator_id))


def _operator(row: asyncpg.Record) -> Operator:
    brands = None if row["brands"] is None else frozenset(row["brands"])
    return Operator(**{**row, "brands": brands})
