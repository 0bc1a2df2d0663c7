"""Wakes lanes when their next timer is due. Whether one is due, the database alone decides."""

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager

from zhiyin.contracts.instants import SECOND, Instant
from zhiyin.runtime.db import Database
from zhiyin.runtime.timers import next_due, timers_set

Wake = Callable[[int, float], None]
"""Told a partition number and the time of the loop at which to look for due timers."""


class DatabaseClock:
    """The database's clock, as far as this process can tell."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self.known = False

    def learn(self, now: Instant) -> None:
        self._ahead = now / SECOND - asyncio.get_running_loop().time()
        self.known = True

    def loop_time(self, at: Instant) -> float:
        return at / SECOND - self._ahead


class TimerWakes:
    """Of one lane."""

    def __init__(self, clock: DatabaseClock, wake: Wake) -> None:
        self._clock = clock
        self._wake = wake
        self._noted: dict[int, Instant] = {}

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Notes the timers set meanwhile."""
        self._noted = {}
        token = timers_set.set(self._noted)
        try:
            yield
        finally:
            timers_set.reset(token)

    def committed(self) -> None:
        """What was noted is now in the database."""
        if self._clock.known:
            for number, due_at in self._noted.items():
                self._wake(number, self._clock.loop_time(due_at))
        self._noted = {}


async def look_ahead(
    db: Database,
    clock: DatabaseClock,
    numbers: Collection[int],
    kinds: Collection[str],
    wake: Wake,
) -> None:
    """Find out when the next timer of each partition is due: others may have set earlier ones."""
    if not numbers or not kinds:
        return
    async with db.connection() as connection:
        due, now = await next_due(connection, numbers, kinds)
    if now is not None:
        clock.learn(now)
    for number, due_at in due.items():
        wake(number, clock.loop_time(due_at))
