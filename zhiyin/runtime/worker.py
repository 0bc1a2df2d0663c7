"""A service's worker: consumes its topics and fires its timers, each effect exactly once."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Final

import structlog
from msgspec import Struct

from zhiyin.runtime import outbox
from zhiyin.runtime.batch import Apply, Connection, Fire, Outgoing
from zhiyin.runtime.context import LaneContext, WorkerOptions
from zhiyin.runtime.db import Database
from zhiyin.runtime.faults import fault_at
from zhiyin.runtime.halting import Halted, HaltRule, Stuck
from zhiyin.runtime.lanes import Lanes
from zhiyin.runtime.log import EventLog, Partition
from zhiyin.runtime.ownership import Ownership
from zhiyin.runtime.rates import Rates
from zhiyin.runtime.retrying import until_it_works
from zhiyin.runtime.settler import Recover
from zhiyin.runtime.supervision import Supervision, regularly
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.timer_wakes import DatabaseClock, look_ahead
from zhiyin.runtime.watchdog import LoopWatch

__all__ = ["Halted", "Recover", "Stuck", "Worker", "WorkerOptions", "WorkerStatus"]

_SPARE_AFTER: Final = 10.0
_log = structlog.get_logger(__name__)


class WorkerStatus(Struct, frozen=True):
    """`lag` counts records not yet applied, by topic, of the partitions held here; `outbox` the
    batches committed here and not yet published."""

    owned: tuple[int, ...]
    lag: dict[str, int]
    rates: dict[str, float]
    dead_letters: int
    outbox: int
    halted: str | None


class Worker:
    """Make it inside the event loop. `fire` maps a timer's kind to its handler. `recover` gets the
    messages of batches whose committer may have died before `after_commit` ran, so that it can be
    done again."""

    def __init__(
        self,
        service: str,
        topics: Sequence[str],
        log: EventLog,
        db: Database,
        apply: Apply,
        fire: Mapping[str, Fire],
        telemetry: Telemetry,
        *,
        options: WorkerOptions | None = None,
        recover: Recover | None = None,
    ) -> None:
        self._service = service
        self._topics = tuple(topics)
        self._log = log
        self._db = db
        self._options = options or WorkerOptions()
        self._telemetry = telemetry
        self._consumer = log.consumer(service, topics)
        self._ownership = Ownership(db, self._consumer)
        self._clock = DatabaseClock()
        self._rates = Rates()
        rule = (self._options.halt_window, self._options.halt_least, self._options.halt_ratio)
        self._context = LaneContext(
            topics=self._topics,
            log=log,
            consumer=self._consumer,
            db=db,
            apply=apply,
            fire=fire,
            telemetry=telemetry,
            options=self._options,
            fault=fault_at(self._options.fault),
            halt_rule=HaltRule(*rule),
            rates=self._rates,
            recover=recover,
        )
        self._lanes = Lanes(self._context, self._clock)
        self._supervision = Supervision(self._context, self._lanes, self.gained)
        self._halted: str | None = None
        self._started_at: float | None = None
        self._stopping = asyncio.Event()
        self._refusal: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._finished = asyncio.Event()

    @property
    def ready(self) -> bool:
        """Whether it has taken up its share of the partitions. One that got none for a while, as
        there are more workers than partitions, is ready as a spare."""
        if self._halted is not None or self._started_at is None or self._stopping.is_set():
            return False
        waited = asyncio.get_running_loop().time() - self._started_at
        return bool(self.owned) or waited > _SPARE_AFTER

    @property
    def owned(self) -> frozenset[int]:
        """The partition numbers it holds."""
        return self._lanes.numbers

    def status(self) -> WorkerStatus:
        lag: dict[str, int] = dict.fromkeys(self._topics, 0)
        for partition, count in self._supervision.lag.items():
            lag[partition.topic] += count
        return WorkerStatus(
            owned=tuple(sorted(self.owned)),
            lag=lag,
            rates=self._rates.per_second(),
            dead_letters=self._rates.total("dead_letters"),
            outbox=self._lanes.unpublished,
            halted=self._halted,
        )

    async def run(self) -> None:
        """Work until `stop`. Raises Halted when going on would lose or spoil data, and Stuck."""
        try:
            await until_it_works("topics", self._ensure_topics)
            await until_it_works("join", lambda: self._consumer.start(self))
            self._started_at = asyncio.get_running_loop().time()
            await self._work()
        except Halted as error:
            self._halted = str(error)
            raise
        finally:
            self._finished.set()

    async def stop(self) -> None:
        """Finish what is in hand, publish it, leave the group."""
        self._stopping.set()
        if self._started_at is not None:
            await self._finished.wait()

    async def enqueue(self, tx: Connection, outgoing: Sequence[Outgoing]) -> None:
        """For messages made outside a batch (an API call), inside the caller's transaction: the
        owner of their partition publishes them within `sweep` seconds of the commit."""
        await outbox.insert(tx, outgoing)

    async def gained(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Called by the log."""
        try:
            stands = await self._ownership.gain(partitions)
        except Exception as error:
            if not self._refusal.done():
                self._refusal.set_exception(error)
            raise
        self._context.fault("gained")
        self._lanes.take(stands)
        self._telemetry.metrics.owned.set(len(self.owned))
        _log.info("partitions gained", numbers=sorted({p.number for p in partitions}))
        return {partition: stand.next for partition, stand in stands.items()}

    async def lost(self, partitions: frozenset[Partition]) -> None:
        """Called by the log."""
        if partitions:
            await self._lanes.lose(partitions)
            self._telemetry.metrics.owned.set(len(self.owned))
            _log.info("partitions lost", numbers=sorted({p.number for p in partitions}))

    async def _work(self) -> None:
        lanes = [asyncio.create_task(lane.run()) for lane in self._lanes.each]
        beside = [asyncio.create_task(run()) for run in self._beside()]
        stopping = asyncio.create_task(self._stopping.wait())
        try:
            awaited: set[asyncio.Future[Any]] = {*lanes, *beside, stopping, self._refusal}
            done, _ = await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            await self._wind_down(lanes)
        finally:
            for task in (*lanes, *beside, stopping):
                task.cancel()
            await asyncio.gather(*lanes, *beside, stopping, return_exceptions=True)
            await self._consumer.stop()

    def _beside(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        watch = LoopWatch(self._options.watchdog)
        outboxes = [run for lane in self._lanes.each for run in lane.outbox.tasks()]
        return [*outboxes, watch.run, self._supervision.run, self._look_ahead_forever]

    async def _wind_down(self, lanes: Sequence[asyncio.Task[None]]) -> None:
        for lane in self._lanes.each:
            lane.stop()
        done, late = await asyncio.wait(lanes, timeout=self._options.shutdown)
        if late:
            _log.warning("stopped in mid-batch; it will be done again", lanes=len(late))
            return
        for task in done:
            task.result()
        drains = (lane.outbox.drain(self._options.shutdown) for lane in self._lanes.each)
        await asyncio.gather(*drains)

    async def _ensure_topics(self) -> None:
        await self._log.ensure_topics(self._topics, self._options.partitions)

    async def _look_ahead_forever(self) -> None:
        async def look() -> None:
            kinds = self._context.fire
            await look_ahead(self._db, self._clock, self.owned, kinds, self._lanes.wake)

        await regularly("timers", self._options.timer_poll, look)
