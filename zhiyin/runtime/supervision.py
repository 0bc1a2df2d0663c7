"""A worker's look at itself, every second: lag, progress, partitions to gain anew."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import structlog

from zhiyin.runtime.context import LaneContext
from zhiyin.runtime.lanes import Lanes
from zhiyin.runtime.log import Partition
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.watchdog import check_progress

_EVERY: Final = 1.0
_log = structlog.get_logger(__name__)

Gained = Callable[[frozenset[Partition]], Awaitable[Mapping[Partition, int]]]


async def regularly(what: str, every: float, look: Callable[[], Awaitable[None]]) -> None:
    """Again and again, `every` seconds; an outage only puts it off."""
    while True:
        try:
            await look()
        except Exception as error:
            if not is_outage(error):
                raise
            _log.warning("put off", what=what, error=repr(error))
        await asyncio.sleep(every)


class Supervision:
    def __init__(self, context: LaneContext, lanes: Lanes, gained: Gained) -> None:
        self._context = context
        self._lanes = lanes
        self._gained = gained
        self.lag: dict[Partition, int] = {}

    async def run(self) -> None:
        """Raises Stuck."""
        await regularly("supervision", _EVERY, self._look)

    async def _look(self) -> None:
        context = self._context
        ends = await context.log.ends(context.topics)
        stands = {partition: stand.next for partition, stand in self._lanes.stands.items()}
        self.lag = {p: max(0, ends.get(p, 0) - position) for p, position in stands.items()}
        self._tell()
        await self._regain()
        self._watch()
        await context.consumer.report(stands)

    def _tell(self) -> None:
        metrics = self._context.telemetry.metrics
        metrics.lag.clear()
        for partition, lag in self.lag.items():
            metrics.lag.labels(partition.topic, str(partition.number)).set(lag)
        metrics.outbox.set(self._lanes.unpublished)

    def _watch(self) -> None:
        now = asyncio.get_running_loop().time()
        progress = []
        for lane in self._lanes.each:
            lag = sum(self.lag.get(partition, 0) for partition in lane.stands)
            if lag == 0:
                lane.progress_at = now
            progress.append((lane.progress_at, lag))
        check_progress(progress, now, self._context.options.watchdog)

    async def _regain(self) -> None:
        """A gain that was overtaken by another member's late one leaves us fenced off what the log
        says is ours: once it must have noticed any real loss, gain it anew."""
        before = asyncio.get_running_loop().time() - self._context.options.regain
        if fenced := self._lanes.fenced_before(before):
            _log.warning("gaining anew", partitions=[list(p) for p in fenced])
            for partition, position in (await self._gained(fenced)).items():
                self._context.consumer.seek(partition, position)
