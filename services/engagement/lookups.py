"""How often a caller may ask for coupon codes that do not exist.

A code has 80 keyed bits, so guessing is hopeless; whoever tries all the same is stopped and seen. A
mistyped letter fails the check letter and does not count.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from services.engagement.domain.codes import read_code
from services.engagement.store import misses
from zhiyin.contracts.instants import MINUTE, SECOND
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

MOST_MISSES: Final = 20
_WINDOW: Final = 10  # minutes


class Lookups:
    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    @asynccontextmanager
    async def of(self, actor: str, code: str) -> AsyncIterator[None]:
        """Around every use of a code by this caller. Raises Problem (429) when there have been too
        many misses, whichever instance saw them."""
        now = self._clock()
        minute = now // MINUTE
        async with self._db.connection() as connection:
            seen = await misses.count(connection, actor, minute - _WINDOW)
        if seen >= MOST_MISSES:
            wait = (MINUTE - now % MINUTE) // SECOND + 60
            raise Problem(429, "too_many_misses", "too many unknown codes", retry_after=wait)
        try:
            yield
        except Problem as problem:
            if problem.status == 404 and read_code(code) is not None:
                async with self._db.transaction() as tx:
                    await misses.add(tx, actor, minute, minute - _WINDOW)
            raise
