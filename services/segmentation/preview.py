"""How many would match a rule, before it is a segment: counted aloud."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, Final

from services.segmentation import reads
from services.segmentation.catalogue import current_options
from services.segmentation.domain.glance import Look, glance, look_of
from services.segmentation.domain.state import decode_state
from services.segmentation.editor import check_segments_exist
from services.segmentation.everybody import everybody
from services.segmentation.given_rules import checked_rule
from services.segmentation.reads import Packed
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.profiles import Snapshot
from zhiyin.contracts.segments import Preview
from zhiyin.facts.reach import ADDRESSED_BY, marketing_channels
from zhiyin.rules import Compiled, Options, Person, Rule, compile_rule
from zhiyin.rules import reads as reads_of
from zhiyin.runtime.db import Database

_SAMPLE: Final = 20
_TELL_SECONDS: Final = 0.25
_REACH: Final = look_of(["identifiers", "consents", "activity", "browse"])


class Previews:
    """One at a time: each looks at everybody."""

    def __init__(self, database: Database, options: Options) -> None:
        self._database = database
        self._options = options
        self._turn = asyncio.Lock()

    async def check(self, tree: Any) -> Rule:
        """Raises Problem (422) for what is no rule, or reads a segment there is not."""
        rule = checked_rule(tree)
        async with self._database.connection() as connection:
            await check_segments_exist(connection, tree, rule)
        return rule

    async def preview(self, rule: Rule) -> Preview:
        """The last word of `counting`."""
        told = [each async for each in self.counting(rule)]
        return told[-1]

    async def counting(self, rule: Rule) -> AsyncIterator[Preview]:
        """Everybody, judged by one instant. The last one is of all of them."""
        async with self._turn:
            async with self._database.connection() as connection:
                now = await reads.now(connection)
                options = await current_options(connection, self._options)
            count = _Count(compile_rule(rule, options), look_of(reads_of(rule)), now)
            told_at = time.perf_counter()
            async for page in everybody(self._database):
                count.add(page)
                if time.perf_counter() - told_at >= _TELL_SECONDS:
                    told_at = time.perf_counter()
                    yield count.so_far(done=False)
            yield count.so_far(done=True)


class _Count:
    """What has been seen so far."""

    def __init__(self, compiled: Compiled, look: Look, now: Instant) -> None:
        self._compiled = compiled
        self._look = look | _REACH
        self._now = now
        self._started = time.perf_counter()
        self._population = 0
        self._found = 0
        self._sample: list[str] = []
        self._reachable: Counter[str] = Counter(dict.fromkeys((*ADDRESSED_BY, "any"), 0))

    def add(self, page: list[Packed]) -> None:
        self._population += len(page)
        for one in page:
            snapshot = glance(one.snapshot, self._look)
            person = Person(snapshot, decode_state(one.state).members)
            if self._compiled.evaluate(person, self._now).matches:
                self._matching(one.profile_id, snapshot)

    def so_far(self, *, done: bool) -> Preview:
        took = (time.perf_counter() - self._started) * 1000
        return Preview(
            count=self._found,
            population=self._population,
            sample=list(self._sample),
            reachable=dict(self._reachable),
            took_ms=round(took, 1),
            as_of=rfc3339(self._now),
            done=done,
        )

    def _matching(self, profile_id: str, snapshot: Snapshot) -> None:
        self._found += 1
        if len(self._sample) < _SAMPLE:
            self._sample.append(profile_id)
        channels = marketing_channels(snapshot)
        self._reachable.update(channels)
        self._reachable["any"] += bool(channels)
