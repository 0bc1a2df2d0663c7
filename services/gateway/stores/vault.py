"""The vault: the only place where phone numbers and email addresses are kept, sealed."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

import asyncpg
import structlog

from services.gateway.domain.door import Secret
from services.gateway.sealing import Broken, Sealed, Sealer, place_of
from zhiyin.runtime.db import Database

_log = structlog.get_logger(__name__)
_GENERATION_SECONDS: Final = 300.0
_GENERATION_SIZE: Final = 200_000

_KEEP = """
INSERT INTO vault (namespace, token, master, wrapped, sealed)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[], $5::bytea[])
ON CONFLICT (namespace, token) DO NOTHING
"""
_PUT = """
INSERT INTO vault (namespace, token, master, wrapped, sealed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (namespace, token) DO UPDATE
  SET master = excluded.master, wrapped = excluded.wrapped, sealed = excluded.sealed
"""
# Sorted, as whoever keeps the same values does it.
_FORGET = """
DELETE FROM vault WHERE (namespace, token) IN (
  SELECT namespace, token FROM vault
  WHERE token = ANY($1) AND ($2::timestamptz IS NULL OR created_at <= $2)
  ORDER BY token FOR UPDATE)
"""
_REVEAL = (
    "SELECT token, master, wrapped, sealed FROM vault WHERE namespace = $1 AND token = ANY($2)"
)


class Vault:
    """Remembers for some minutes which tokens are in it, so that known people cost no query."""

    def __init__(
        self, db: Database, sealer: Sealer, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._db = db
        self._sealer = sealer
        self._known = _Recently(monotonic)

    async def keep(self, secrets: Iterable[Secret]) -> None:
        """Returns when every value is in the vault; must come before its token goes anywhere."""
        new = {secret.token: secret for secret in secrets if secret.token not in self._known}
        if not new:
            return
        # Sorted, because two gateways keeping the same people in another order would deadlock.
        rows = [self._row(new[token]) for token in sorted(new)]
        async with self._db.connection() as connection:
            await connection.execute(_KEEP, *map(list, zip(*rows, strict=True)))
        self._known.update(new)

    async def put(self, secret: Secret) -> None:
        """Keep a value that changes: the one before it is gone."""
        async with self._db.connection() as connection:
            await connection.execute(_PUT, *self._row(secret))

    async def reveal(self, namespace: str, tokens: Sequence[str]) -> Mapping[str, str]:
        """Token → value in clear, of those that are kept. The caller has audited this read."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(_REVEAL, namespace, list(tokens))
        return {
            row["token"]: value
            for row in rows
            if (value := self._opened(namespace, row)) is not None
        }

    def _opened(self, namespace: str, row: asyncpg.Record) -> str | None:
        """None, and told in the log, for what no key at hand opens."""
        token = row["token"]
        sealed = Sealed(row["master"], row["wrapped"], row["sealed"])
        try:
            return self._sealer.open(sealed, place_of(namespace, token))
        except Broken as error:
            _log.error("a value of the vault cannot be opened", token=token, why=str(error))
            return None

    async def forget(self, tokens: Sequence[str], kept_until: datetime | None) -> int:
        """Delete values, those kept until then, with their data keys; how many there were."""
        if not tokens:
            return 0
        self.unlearn(tokens)
        async with self._db.connection() as connection:
            status: str = await connection.execute(_FORGET, list(tokens), kept_until)
        return int(status.rpartition(" ")[2])

    def unlearn(self, tokens: Iterable[str]) -> None:
        """No longer take these for kept: they are to be forgotten, by this process or another."""
        self._known.discard(tokens)

    def _row(self, secret: Secret) -> tuple[str, str, int, bytes, bytes]:
        sealed = self._sealer.seal(secret.value, place_of(secret.namespace, secret.token))
        return (secret.namespace, secret.token, *sealed)


class _Recently:
    """A set that forgets: what was added is known for five to ten minutes, bounded in size."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._newer: set[str] = set()
        self._older: set[str] = set()
        self._turns_at = monotonic() + _GENERATION_SECONDS

    def __contains__(self, token: str) -> bool:
        return token in self._newer or token in self._older

    def discard(self, tokens: Iterable[str]) -> None:
        self._newer.difference_update(tokens)
        self._older.difference_update(tokens)

    def update(self, tokens: Iterable[str]) -> None:
        now = self._monotonic()
        if now >= self._turns_at or len(self._newer) >= _GENERATION_SIZE:
            self._newer, self._older = set(), self._newer
            self._turns_at = now + _GENERATION_SECONDS
        self._newer.update(tokens)
