"""Retention: how long each class of data is kept, and its removal when that is over.

`zhiyin/contracts/retention.py` says how long, `ZHIYIN_RETENTION` may say otherwise, and a service
knows how to remove what it keeps. Limits are counted back from the clock that is passed in, so
that a test, or an auditor, can show what would be gone by any date.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

import structlog
from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.retention import KEPT, Limits
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import is_outage

_log = structlog.get_logger(__name__)
_EVERY_SECONDS: Final = 3600.0
PAGE: Final = 2_000

Remove = Callable[[Connection, Instant], Awaitable[int]]


class DataClass(Struct, frozen=True):
    """`name` as the contract has it. `remove` takes away, in the caller's transaction, at most a
    page of what is older than an instant, and says how much; it is called until nothing is left."""

    name: str
    remove: Remove


# What the runtime itself keeps in every service with a worker.
_DEAD_LETTERS: Final = """
DELETE FROM dead_letter WHERE id IN (
  SELECT id FROM dead_letter WHERE at < to_timestamp($1::bigint / 1e6) ORDER BY id LIMIT $2)
"""
_ERASURES: Final = """
DELETE FROM erasure WHERE profile_id IN (
  SELECT profile_id FROM erasure WHERE at < $1 ORDER BY 1 LIMIT $2)
"""


def by_statement(statement: str) -> Remove:
    """Removal by one statement: $1 the instant in µs, $2 how many rows at most."""

    async def remove(tx: Connection, before: Instant) -> int:
        status: str = await tx.execute(statement, before, PAGE)
        return int(status.rpartition(" ")[2])

    return remove


def dead_letters() -> DataClass:
    return DataClass("dead_letters", by_statement(_DEAD_LETTERS))


def erasure_notes() -> DataClass:
    """Of services that follow profiles; the receipt itself is the gateway's."""
    return DataClass("erasure_notes", by_statement(_ERASURES))


class Retention:
    """`limits`: other limits than the contract's, by class; None keeps for ever."""

    def __init__(
        self,
        database: Database,
        classes: Sequence[DataClass],
        limits: Limits,
        clock: Clock,
    ) -> None:
        self._database = database
        self._classes = classes
        self._limits = limits
        self._clock = clock

    async def run(self) -> None:
        """Until cancelled, every hour; an outage only delays."""
        while True:
            try:
                await self.sweep(self._clock())
            except Exception as error:
                if not is_outage(error):
                    raise
                _log.warning("retention waits", error=repr(error))
            await asyncio.sleep(_EVERY_SECONDS)

    async def sweep(self, now: Instant) -> dict[str, int]:
        """Remove what is too old at `now`; how much of each class."""
        removed = {}
        for each in self._classes:
            kept = self._limits.get(each.name, KEPT[each.name])
            if kept is not None:
                removed[each.name] = await self._remove(each, now - kept)
        if any(removed.values()):
            _log.info("removed as too old", **removed)
        return removed

    async def _remove(self, each: DataClass, before: Instant) -> int:
        total = 0
        while True:
            async with self._database.transaction() as tx:
                gone = await each.remove(tx, before)
            total += gone
            if gone == 0:
                return total
