"""The vault: the only place where phone numbers and email addresses are kept, sealed."""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from services.gateway.domain.door import Secret
from services.gateway.sealing import Sealed, Sealer
from zhiyin.runtime.db import Database

_GENERATION_SECONDS: Final = 300.0
_GENERATION_SIZE: Final = 200_000

_KEEP = """
INSERT INTO vault (namespace, token, master, wrapped, sealed)
SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bytea[], $5::bytea[])
ON CONFLICT (namespace, token) DO NOTHING
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

    async def reveal(self, namespace: str, tokens: Sequence[str]) -> Mapping[str, str]:
        """Token → value in clear, of those that are kept. The caller has audited this read."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(_REVEAL, namespace, list(tokens))
        return {
            row["token"]: self._sealer.open(
                Sealed(row["master"], row["wrapped"], row["sealed"]),
                _place(namespace, row["token"]),
            )
            for row in rows
        }

    def _row(self, secret: Secret) -> tuple[str, str, int, bytes, bytes]:
        sealed = self._sealer.seal(secret.value, _place(secret.namespace, secret.token))
        return (secret.namespace, secret.token, *sealed)


def _place(namespace: str, token: str) -> str:
    return f"{namespace}\0{token}"


class _Recently:
    """A set that forgets: what was added is known for five to ten minutes, bounded in size."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._newer: set[str] = set()
        self._older: set[str] = set()
        self._turns_at = monotonic() + _GENERATION_SECONDS

    def __contains__(self, token: str) -> bool:
        return token in self._newer or token in self._older

    def update(self, tokens: Iterable[str]) -> None:
        now = self._monotonic()
        if now >= self._turns_at or len(self._newer) >= _GENERATION_SIZE:
            self._newer, self._older = set(), self._newer
            self._turns_at = now + _GENERATION_SECONDS
        self._newer.update(tokens)
