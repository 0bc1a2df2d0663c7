"""A lane: works through some partition numbers, one transaction at a time.

Records, due timers and the outbox of its numbers take turns in it, so of one person nothing ever
happens twice at once. While a transaction runs, the next records are fetched and the last messages
published.
"""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Final

import structlog

from zhiyin.runtime import fence
from zhiyin.runtime.batch_size import BatchSize
from zhiyin.runtime.context import LaneContext
from zhiyin.runtime.event_batches import EventBatches
from zhiyin.runtime.fence import Fenced, Stand
from zhiyin.runtime.halting import Halted
from zhiyin.runtime.intake import Intake
from zhiyin.runtime.lane_outbox import LaneOutbox
from zhiyin.runtime.log import Partition, Record
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.retrying import until_it_works
from zhiyin.runtime.timer_batches import TimerBatches
from zhiyin.runtime.timer_wakes import DatabaseClock, TimerWakes, Wake, look_ahead

_NEVER: Final = float("inf")
_QUIET: Final = 0.01
_log = structlog.get_logger(__name__)


class Lane:
    """`wake` reaches the lane of any partition number, for timers this lane sets for others."""

    def __init__(self, context: LaneContext, clock: DatabaseClock, wake: Wake) -> None:
        self._context = context
        self._clock = clock
        self._wake_lane = wake
        self.stands: dict[Partition, Stand] = {}
        self.fenced_at: dict[Partition, float] = {}
        self._woken = asyncio.Event()
        self._busy = asyncio.Lock()
        self._stopping = False
        self._sweep_at = 0.0
        self._timers_at = _NEVER
        self._quiet_until = 0.0
        self.progress_at = asyncio.get_running_loop().time()
        wakes = TimerWakes(clock, wake)
        self.outbox = LaneOutbox(
            context.log, context.db, context.telemetry.metrics, context.fault, context.recover
        )
        size = BatchSize(context.options.batch_records)
        self._events = EventBatches(context, self.outbox, wakes, self.stands, size)
        self._timers = TimerBatches(context, self.outbox, wakes, self.stands)
        self._intake = Intake(context.consumer, context.options, self.stands, self._woken, size)

    @property
    def numbers(self) -> set[int]:
        return {partition.number for partition in self.stands}

    async def run(self) -> None:
        """Until `stop`. Raises Halted."""
        try:
            while not self._stopping:
                await self._turn()
        finally:
            await self._intake.stop()

    def stop(self) -> None:
        """Finish the batch at hand."""
        self._stopping = True
        self._woken.set()

    def take(self, stands: Mapping[Partition, Stand]) -> None:
        """Partitions gained. What their last holder left unpublished goes first."""
        self.stands.update(stands)
        for partition in stands:
            self.fenced_at.pop(partition, None)
        self._intake.interrupt()
        self._sweep_at = 0.0
        self._timers_at = 0.0
        self._woken.set()

    async def lose(self, partitions: Collection[Partition], seconds: float) -> None:
        """Partitions lost: wait shortly for the batch at hand and what it has to publish."""
        for partition in partitions:
            self.stands.pop(partition, None)
            self.fenced_at.pop(partition, None)
        self._intake.interrupt()
        numbers = {partition.number for partition in partitions}
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), self._busy:
                await self.outbox.drain(seconds)
        self.outbox.forget(numbers)

    def wake_at(self, at: float) -> None:
        """Look for due timers at this time of the loop."""
        at = max(at, self._quiet_until)
        if at < self._timers_at:
            self._timers_at = at
            asyncio.get_running_loop().call_at(at, self._woken.set)

    async def _turn(self) -> None:
        now = asyncio.get_running_loop().time
        async with self._busy:
            if now() >= self._sweep_at:
                await self._sweep()
            fired = now() >= self._timers_at and await self._fire()
        due = min(self._sweep_at, self._timers_at) - now()
        records = await self._intake.next(0.0 if fired else max(0.0, due))
        if records and not self._stopping:
            async with self._busy:
                await self._apply(records)

    async def _apply(self, records: Sequence[Record]) -> None:
        now = asyncio.get_running_loop().time
        self._intake.ahead(len(records))
        started, sweep_at = now(), self._sweep_at
        try:
            swept = await self._events.run(records)
        except Fenced:
            await self._look_where_we_stand()
        else:
            if swept and sweep_at == self._sweep_at:  # no partitions gained meanwhile
                self._sweep_at = self._sweep_again()
        self.progress_at = now()
        self._intake.applied(len(records), self.progress_at - started)

    async def _fire(self) -> bool:
        """Whether there may be more timers due."""
        self._timers_at = _NEVER
        if not self.stands or not self._context.fire:
            return False
        try:
            fired = await self._timers.run()
        except Fenced:
            await self._look_where_we_stand()
            return False
        if fired:
            self._timers_at = 0.0
            self.progress_at = asyncio.get_running_loop().time()
        else:
            # What is due may be locked by somebody about to change it: do not spin on it.
            self._quiet_until = asyncio.get_running_loop().time() + _QUIET
            await self._look_ahead()
        return fired > 0

    async def _look_ahead(self) -> None:
        context = self._context
        try:
            await look_ahead(context.db, self._clock, self.numbers, context.fire, self._wake_lane)
        except Exception as error:
            if not is_outage(error):
                raise
            _log.warning("timers not looked up", error=repr(error))

    async def _sweep(self) -> None:
        try:
            while await self.outbox.sweep(self.numbers):
                pass
        except Exception as error:
            if not is_outage(error):
                raise
            _log.warning("outbox not swept", error=repr(error))
        self._sweep_at = self._sweep_again()

    def _sweep_again(self) -> float:
        return asyncio.get_running_loop().time() + self._context.options.sweep

    async def _look_where_we_stand(self) -> None:
        """After being fenced: give up what others hold, go back to where the rest stands."""
        self._context.telemetry.metrics.fenced.inc()

        async def stored() -> dict[Partition, Stand]:
            async with self._context.db.connection() as connection:
                return await fence.read(connection, self.stands)

        found = await until_it_works("read the fence", stored)
        for partition, stand in list(self.stands.items()):
            if (now := found.get(partition)) is None:
                raise Halted(f"the position of {partition} is gone from the database")
            if now.epoch == stand.epoch:
                self.stands[partition] = now
            else:
                del self.stands[partition]
                self.fenced_at[partition] = asyncio.get_running_loop().time()
        _log.warning("fenced", lost=[list(p) for p in self.fenced_at])
        self.outbox.forget({p.number for p in self.fenced_at})
        self._intake.rewind()
