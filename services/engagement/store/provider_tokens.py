"""Access tokens of providers, sealed, and whose turn it is to fetch one."""

from msgspec import Struct

from zhiyin.contracts.instants import Duration, Instant
from zhiyin.runtime.batch import Connection


class Kept(Struct, frozen=True):
    token: bytes
    expires_at: Instant


async def find(tx: Connection, key: str) -> Kept | None:
    row = await tx.fetchrow(
        "SELECT token, expires_at FROM provider_token WHERE key = $1 AND token IS NOT NULL", key
    )
    return None if row is None else Kept(*row)


async def lease(tx: Connection, key: str, length: Duration) -> bool:
    """Whether the caller is the one to fetch it; nobody else is until the lease is over."""
    taken = await tx.fetchval(
        """INSERT INTO provider_token (key, leased_until)
           VALUES ($1, clock_timestamp() + $2 * interval '1 microsecond')
           ON CONFLICT (key) DO UPDATE SET leased_until = excluded.leased_until
             WHERE provider_token.leased_until < clock_timestamp()
           RETURNING key""",
        key,
        length,
    )
    return taken is not None


async def release(tx: Connection, key: str) -> None:
    await tx.execute(
        "UPDATE provider_token SET leased_until = clock_timestamp() WHERE key = $1", key
    )


async def save(tx: Connection, key: str, token: bytes, expires_at: Instant) -> None:
    await tx.execute(
        """UPDATE provider_token SET token = $2, expires_at = $3, leased_until = clock_timestamp()
           WHERE key = $1""",
        key,
        token,
        expires_at,
    )
