"""The catalogue of facts as it stands: every name seen, with examples from some of the people."""

import asyncio
from collections.abc import Sequence
from typing import Final

from services.segmentation import reads
from services.segmentation.domain.event_list import event_list
from services.segmentation.domain.fact_list import Seen, fact_list
from services.segmentation.names_seen import names_seen
from zhiyin.contracts.instants import SECOND, Instant
from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.contracts.rules import FactCatalogue
from zhiyin.rules import Options
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

SAMPLE: Final = 400
_FRESH: Final = 30 * SECOND
# Reading so many snapshots is a few milliseconds, after which everything else gets its turn.
_AT_ONCE: Final = 50


class FactCatalogues:
    """Made anew at most every half minute; nothing of the sample outlives that."""

    def __init__(self, database: Database, options: Options, clock: Clock) -> None:
        self._database = database
        self._options = options
        self._clock = clock
        self._turn = asyncio.Lock()
        self._made: tuple[Instant, FactCatalogue] | None = None

    async def current(self) -> FactCatalogue:
        async with self._turn:
            now = self._clock()
            if self._made is None or now - self._made[0] > _FRESH:
                self._made = (now, await self._make())
            return self._made[1]

    async def seen(self) -> list[Seen]:
        async with self._database.connection() as connection:
            return await names_seen(connection)

    async def _make(self) -> FactCatalogue:
        async with self._database.connection() as connection:
            seen = await names_seen(connection)
            packed = await reads.some_snapshots(connection, SAMPLE)
        sample = await _read(packed)
        facts = fact_list(seen, sample, self._options)
        return FactCatalogue(facts, event_list(seen, sample), len(sample))


async def _read(packed: Sequence[bytes]) -> list[Snapshot]:
    sample: list[Snapshot] = []
    for start in range(0, len(packed), _AT_ONCE):
        sample += map(decode_snapshot, packed[start : start + _AT_ONCE])
        await asyncio.sleep(0)
    return sample
