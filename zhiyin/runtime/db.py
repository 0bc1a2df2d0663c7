"""A service's PostgreSQL: a pool whose connections act as its own role in its own schema."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import asyncpg

_TCP_USER_TIMEOUT_MS: Final = 20_000
_NO_TCP_USER_TIMEOUT: Final = -1


class Database:
    """Times are in seconds. `role` None keeps the role of the DSN; `settings`: the server's, for
    its connections."""

    def __init__(
        self,
        dsn: str,
        schema: str,
        role: str | None = None,
        *,
        size: int = 12,
        command_timeout: float = 30.0,
        settings: Mapping[str, str] = {},
    ) -> None:
        self.dsn = dsn
        self.schema = schema
        self.role = role
        self._size = size
        self._command_timeout = command_timeout
        self._settings = settings
        self._pool: asyncpg.Pool | None = None

    @property
    def pool(self) -> asyncpg.Pool:
        if self._pool is None:
            raise RuntimeError("open() the database first")
        return self._pool

    async def open(self) -> None:
        self._pool = await asyncpg.create_pool(
            self.dsn,
            min_size=1,
            max_size=self._size,
            timeout=10.0,
            command_timeout=self._command_timeout,
            server_settings=self.server_settings(),
            init=limit_silence,
            reset=_leave_as_it_is,
        )

    async def close(self) -> None:
        """Waits shortly for connections in use, then cuts them: a lost server must not hold us."""
        pool, self._pool = self._pool, None
        if pool is None:
            return
        try:
            async with asyncio.timeout(5.0):
                await pool.close()
        except TimeoutError:
            pool.terminate()

    def server_settings(self) -> dict[str, str]:
        acting = {"role": self.role} if self.role else {}
        return {
            "search_path": self.schema,
            "application_name": f"zhiyin-{self.schema}",
            "idle_in_transaction_session_timeout": "60s",
            "jit": "off",
            # Prepared while a table is small, a plan that reads all of it would stay as it grows.
            "enable_seqscan": "off",
            **self._settings,
            **acting,
        }

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        """An asyncpg connection of the pool; never share it between tasks."""
        async with self.pool.acquire(timeout=10.0) as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Any]:
        """An asyncpg connection inside a transaction: commits at the end, rolls back on error."""
        async with self.connection() as connection, connection.transaction():
            yield connection


async def _leave_as_it_is(_: asyncpg.Connection) -> None:
    """Nobody sets anything beyond a transaction; to reset it all the same takes a round trip."""


async def limit_silence(connection: asyncpg.Connection) -> None:
    """Give up on a peer that acknowledges nothing: without this a black-holed connection is
    noticed by command time-outs only, one command after the other."""
    # asyncpg has no option for it and does not show its socket, hence the private attribute.
    transport = connection._transport
    raw: socket.socket | None = transport.get_extra_info("socket") if transport else None
    option = getattr(socket, "TCP_USER_TIMEOUT", _NO_TCP_USER_TIMEOUT)
    if raw is not None and raw.family != socket.AF_UNIX and option != _NO_TCP_USER_TIMEOUT:
        raw.setsockopt(socket.IPPROTO_TCP, option, _TCP_USER_TIMEOUT_MS)
