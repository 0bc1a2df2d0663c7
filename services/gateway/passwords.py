"""Passwords, hashed off the event loop and not too many at once: each takes memory and time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.gateway.domain.passwords import normal
from zhiyin.runtime.problems import Problem

T = TypeVar("T")
_THREADS: Final = 2
_MOST_WAITING: Final = 32
# Whoever does not exist takes as long to refuse as who does: hashed as below.
_NOBODYS: Final = (
    "$argon2id$v=19$m=19456,t=2,p=1$YYBzZPhnVGsxWIPKWL/"
    "oOw$pOBD8AZWgxBck3NF5egT9ZMkgaZQtIhZgUpR28FuQy4"
)


class Passwords:
    """argon2id as OWASP recommends it: 19 MiB, two passes, one lane."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1, type=Type.ID)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="argon2")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        return await self._aside(lambda: self._hasher.hash(normal(password)))

    async def matches(self, stored: str | None, password: str) -> bool:
        return await self._aside(lambda: self._matches(stored, normal(password)))

    def outdated(self, stored: str) -> bool:
        """Whether it was hashed more cheaply than is done now."""
        return self._hasher.check_needs_rehash(stored)

    def _matches(self, stored: str | None, password: str) -> bool:
        try:
            self._hasher.verify(stored or _NOBODYS, password)
            return stored is not None
        except (VerificationError, InvalidHashError):
            return False

    async def _aside(self, work: Callable[[], T]) -> T:
        if self._waiting >= _MOST_WAITING:
            raise Problem(503, "busy", "too many are signing in at once", retry_after=1)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._waiting -= 1
