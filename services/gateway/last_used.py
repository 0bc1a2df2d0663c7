"""When keys and sessions were last used: noted in memory, written down now and then."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Final

from zhiyin.contracts.instants import moment
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.outages import is_outage

_EVERY_SECONDS: Final = 10.0
Write = Callable[[Collection[str], datetime], Awaitable[None]]


class LastUsed:
    """A use costs the path of a request no more than putting its id into a set."""

    def __init__(self, write: Write, clock: Clock) -> None:
        self._write = write
        self._clock = clock
        self._used: set[str] = set()
        self.mark = self._used.add

    async def run(self) -> None:
        """Until cancelled; what is noted then is written still."""
        try:
            while True:
                await asyncio.sleep(_EVERY_SECONDS)
                await self.flush()
        finally:
            await self.flush()

    async def flush(self) -> None:
        used = list(self._used)
        if not used:
            return
        self._used.difference_update(used)
        try:
            await self._write(used, moment(self._clock()))
        except Exception as error:
            if not is_outage(error):
                raise
            self._used.update(used)
