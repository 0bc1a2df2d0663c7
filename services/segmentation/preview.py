"""How many would match a rule, before it is a segment."""

import asyncio
import time
from typing import Any, Final

from services.segmentation import reads
from services.segmentation.domain.state import decode_state
from services.segmentation.editor import check_segments_exist, checked_rule
from services.segmentation.reads import Packed
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.profiles import decode_snapshot
from zhiyin.contracts.segments import Preview
from zhiyin.rules import Compiled, Options, Person, compile_rule
from zhiyin.runtime.db import Database

# A page is a few milliseconds of work, after which everything else gets its turn.
_PAGE: Final = 200
_SAMPLE: Final = 20


class Previews:
    """One at a time: each looks at everybody."""

    def __init__(self, database: Database, options: Options) -> None:
        self._database = database
        self._options = options
        self._turn = asyncio.Lock()

    async def preview(self, tree: Any) -> Preview:
        """Everybody at one instant, page by page rather than in one long transaction, which would
        keep the tables from being cleaned. Raises Problem (422) for what is no rule."""
        rule = checked_rule(tree)
        async with self._turn:
            started = time.perf_counter()
            async with self._database.connection() as connection:
                await check_segments_exist(connection, tree, rule)
                now = await reads.now(connection)
            compiled = compile_rule(rule, self._options)
            population, found, sample = await self._everybody(compiled, now)
            took = (time.perf_counter() - started) * 1000
        return Preview(found, population, sample, round(took, 1), rfc3339(now))

    async def _everybody(self, compiled: Compiled, now: Instant) -> tuple[int, int, list[str]]:
        population, found, after = 0, 0, ""
        sample: list[str] = []
        while True:
            async with self._database.connection() as connection:
                page = await reads.packed_people(connection, after, _PAGE)
            matching = [one.profile_id for one in page if _matches(compiled, one, now)]
            population += len(page)
            found += len(matching)
            sample += matching[: _SAMPLE - len(sample)]
            if len(page) < _PAGE:
                return population, found, sample
            after = page[-1].profile_id


def _matches(compiled: Compiled, one: Packed, now: Instant) -> bool:
    person = Person(decode_snapshot(one.snapshot), decode_state(one.state).members)
    return compiled.evaluate(person, now).matches
