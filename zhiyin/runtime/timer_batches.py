"""Batches of due timers: each is one transaction, each timer fires exactly once."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

import structlog

from zhiyin.contracts.instants import SECOND, Instant
from zhiyin.runtime import fence
from zhiyin.runtime.batch import Connection, Fire, Outcome, Timer
from zhiyin.runtime.bisect import bisect
from zhiyin.runtime.context import LaneContext
from zhiyin.runtime.dead_letters import TIMER, set_aside, set_timer_aside
from zhiyin.runtime.fence import Fenced, Stand
from zhiyin.runtime.halting import Halted
from zhiyin.runtime.lane_outbox import LaneOutbox, Written
from zhiyin.runtime.log import Partition
from zhiyin.runtime.outages import SYSTEMIC, is_outage, raise_unless_outage
from zhiyin.runtime.retrying import Backoff, until_it_works
from zhiyin.runtime.timer_wakes import TimerWakes
from zhiyin.runtime.timers import Claimed, claim_due, claim_these

_log = structlog.get_logger(__name__)


class _Fired(NamedTuple):
    claimed: Claimed
    outcomes: Sequence[Outcome]
    written: Written
    started: float


class _Raised(Exception):
    """A handler raised; these timers were at hand."""

    def __init__(self, timers: Sequence[Timer]) -> None:
        super().__init__("a timer handler raised")
        self.timers = timers


class TimerBatches:
    """Of one lane. The position of the first topic stands for a partition number as a whole: it
    is held while timers fire, so nobody can have taken the number over."""

    def __init__(
        self,
        context: LaneContext,
        outbox: LaneOutbox,
        wakes: TimerWakes,
        stands: Mapping[Partition, Stand],
    ) -> None:
        self._context = context
        self._outbox = outbox
        self._wakes = wakes
        self._stands = stands
        self._topic = min(context.topics)

    async def run(self) -> int:
        """Fire what is due, up to a batch; how many were due. Raises Fenced and Halted."""
        try:
            return await self._until_committed(None)
        except _Raised as error:
            timers = error.timers
            await bisect(timers, self._attempt, self._set_aside, _is_hopeless)
            return len(timers)

    async def _attempt(self, timers: Sequence[Timer]) -> None:
        await self._until_committed([timer.key for timer in timers])

    async def _until_committed(self, keys: Sequence[str] | None) -> int:
        """A commit without an answer is simply tried again: timers that did fire are gone, and
        their messages are found by the sweep."""
        backoff = Backoff()
        while True:
            try:
                fired = await self._transact(keys)
                await self._committed(fired)
                return len(fired.claimed.timers)
            except Exception as error:  # noqa: BLE001 - raised again unless an outage
                raise_unless_outage(error)
                _log.warning("timers tried again", error=repr(error))
                self._context.telemetry.metrics.retries.labels(type(error).__name__).inc()
            await backoff.wait()

    async def _transact(self, keys: Sequence[str] | None) -> _Fired:
        context = self._context
        async with context.db.transaction() as tx:
            numbers = await self._hold(tx)
            kinds, options = context.fire, context.options
            each = max(50, options.timer_batch // max(1, len(numbers)))
            claimed = (
                await claim_due(tx, numbers, kinds, each)
                if keys is None
                else await claim_these(tx, keys)
            )
            started = time.perf_counter()
            if not claimed.timers:
                return _Fired(claimed, (), Written((), ()), started)
            context.fault("timers_claimed")
            outcomes = await self._fire(tx, claimed)
            await set_aside(tx, [item for outcome in outcomes for item in outcome.rejected])
            outgoing = [item for outcome in outcomes for item in outcome.outgoing]
            written = await self._outbox.write(tx, outgoing, numbers)
            context.fault("timers_fired")
        context.fault("timers_committed")
        return _Fired(claimed, outcomes, written, started)

    async def _hold(self, tx: Connection) -> list[int]:
        held = {p: stand for p, stand in self._stands.items() if p.topic == self._topic}
        await fence.hold(tx, held)
        return [partition.number for partition in held]

    async def _fire(self, tx: Connection, claimed: Claimed) -> list[Outcome]:
        by_kind: dict[str, list[Timer]] = {}
        for timer in claimed.timers:
            by_kind.setdefault(timer.kind, []).append(timer)
        with self._wakes.watching():
            return [
                await self._handle(self._context.fire[kind], tx, timers, claimed.now)
                for kind, timers in by_kind.items()
            ]

    async def _handle(
        self, handler: Fire, tx: Connection, timers: Sequence[Timer], now: Instant
    ) -> Outcome:
        try:
            return await handler(tx, timers, now)
        except Exception as error:
            if is_outage(error) or isinstance(error, SYSTEMIC):
                raise
            raise _Raised(timers) from error

    async def _committed(self, fired: _Fired) -> None:
        timers = fired.claimed.timers
        if not timers:
            return
        self._wakes.committed()
        late = round((time.perf_counter() - fired.started) * SECOND) + fired.claimed.now
        telemetry = self._context.telemetry
        # Chores without a person (backfills, rebuilds) queue up behind themselves: their delay
        # is work to be done, not lateness.
        delays = [late - timer.due_at for timer in timers if timer.profile_id]
        telemetry.delays.record_many("due_to_fired", delays)
        for kind, count in Counter(timer.kind for timer in timers).items():
            telemetry.metrics.timers.labels(kind).inc(count)
        self._context.rates.add("timers", len(timers))
        await self._outbox.committed(fired.written, partial(_settle, fired.outcomes))

    async def _set_aside(self, timer: Timer, error: Exception) -> None:
        _log.warning("timer set aside", kind=timer.kind, error=_reason(error))
        await until_it_works("set timer aside", partial(self._store_aside, timer, error))
        self._context.rates.add("dead_letters", 1)
        self._context.telemetry.metrics.dead_letters.labels(TIMER, "raised").inc()
        self._context.halt_rule.add(0, 1)

    async def _store_aside(self, timer: Timer, error: Exception) -> None:
        async with self._context.db.transaction() as tx:
            await self._hold(tx)
            if (await claim_these(tx, [timer.key])).timers:
                await set_timer_aside(tx, timer, _reason(error))


async def _settle(outcomes: Sequence[Outcome]) -> None:
    for outcome in outcomes:
        await outcome.after_commit()


def _is_hopeless(error: Exception) -> bool:
    return not (isinstance(error, Fenced | Halted) or is_outage(error))


def _reason(error: Exception) -> str:
    cause = error.__cause__ or error
    return f"{type(cause).__name__}: {cause}"
