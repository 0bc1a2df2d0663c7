"""Batches of records: each is one transaction, applied exactly once."""

import time
from collections import Counter
from collections.abc import MutableMapping, Sequence
from typing import Any, NamedTuple

import structlog

from zhiyin.runtime import fence
from zhiyin.runtime.batch import Apply, Connection, Outcome, Rejected
from zhiyin.runtime.batch_size import BatchSize
from zhiyin.runtime.bisect import bisect
from zhiyin.runtime.context import LaneContext
from zhiyin.runtime.dead_letters import set_aside
from zhiyin.runtime.fence import Fenced, Stand, Step
from zhiyin.runtime.halting import Halted
from zhiyin.runtime.lane_outbox import LaneOutbox, Written
from zhiyin.runtime.log import Partition, Record
from zhiyin.runtime.outages import is_outage, raise_unless_outage
from zhiyin.runtime.record_spans import record_spans
from zhiyin.runtime.retrying import Backoff, until_it_works
from zhiyin.runtime.timer_wakes import TimerWakes

_log = structlog.get_logger(__name__)


class _Attempt(NamedTuple):
    """A transaction that is, or may be, committed."""

    records: Sequence[Record]
    steps: dict[Partition, Step]
    outcome: Outcome
    written: Written


class _CommitUnknown(Exception):
    """The server did not answer the commit: the fence will tell."""

    def __init__(self, attempt: _Attempt) -> None:
        super().__init__("commit not confirmed")
        self.attempt = attempt


class EventBatches:
    """Of one lane. `stands` is the lane's: which partitions it holds, and where they stand."""

    def __init__(
        self,
        context: LaneContext,
        outbox: LaneOutbox,
        wakes: TimerWakes,
        stands: MutableMapping[Partition, Stand],
        size: BatchSize,
    ) -> None:
        self._context = context
        self._outbox = outbox
        self._wakes = wakes
        self._stands = stands
        self._size = size
        self._swept = False

    async def run(self, records: Sequence[Record]) -> bool:
        """Apply all of them; those that cannot be applied go to the dead letters. Whether what
        others left in the outbox was seen. Raises Fenced when the lane must look where it stands,
        and Halted."""
        self._swept = False
        with record_spans(self._context.telemetry, records) as traced:
            await bisect(traced, self._until_committed, self._set_aside, _is_hopeless)
        return self._swept

    async def _until_committed(self, records: Sequence[Record], apply: Apply | None = None) -> None:
        backoff = Backoff()
        unknown: _Attempt | None = None
        while True:
            try:
                await self._committed(await self._transact(records, apply or self._context.apply))
                return
            except _CommitUnknown as error:
                unknown = error.attempt
                self._retried(error)
            except Fenced:
                # An attempt whose commit we saw no answer to may have come through since.
                if unknown is None or not await self._came_through(unknown):
                    raise
            except Exception as error:  # noqa: BLE001 - raised again unless an outage
                raise_unless_outage(error)
                self._retried(error)
            if unknown is not None and await self._came_through(unknown):
                await self._committed(unknown)
                return
            await backoff.wait()

    async def _transact(self, records: Sequence[Record], apply: Apply) -> _Attempt:
        context = self._context
        steps = fence.steps_of(records, self._stands)
        context.fault("after_fetch")
        started = time.perf_counter()
        async with context.db.connection() as connection:
            transaction = connection.transaction()
            await transaction.start()
            try:
                attempt = await self._work(connection, records, steps, apply)
            except BaseException:
                await _roll_back(transaction)
                raise
            context.fault("before_commit")
            try:
                await transaction.commit()
            except Exception as error:
                if is_outage(error):
                    raise _CommitUnknown(attempt) from error
                raise
        context.fault("after_commit")
        seconds = time.perf_counter() - started
        context.telemetry.metrics.batch_seconds.observe(seconds)
        read = sum(len(record.value) for record in records)
        written = sum(letter.size for letter in attempt.written.letters)
        self._size.took(len(records), read + written, seconds)
        return attempt

    async def _work(
        self,
        tx: Connection,
        records: Sequence[Record],
        steps: dict[Partition, Step],
        apply: Apply,
    ) -> _Attempt:
        context = self._context
        await fence.move(tx, steps)
        context.fault("after_fence")
        with self._wakes.watching():
            outcome = await apply(tx, records)
        context.fault("after_apply")
        await set_aside(tx, outcome.rejected)
        numbers = {partition.number for partition in self._stands}
        written = await self._outbox.write(tx, outcome.outgoing, numbers)
        return _Attempt(records, steps, outcome, written)

    async def _committed(self, attempt: _Attempt) -> None:
        for partition, step in attempt.steps.items():
            if partition in self._stands:
                self._stands[partition] = Stand(step.stand.epoch, step.end)
        self._wakes.committed()
        self._swept = attempt.written.swept
        self._count(attempt)
        await self._outbox.committed(attempt.written, attempt.outcome.after_commit)
        rejected = len(attempt.outcome.rejected)
        self._context.halt_rule.add(len(attempt.records) - rejected, rejected)

    async def _came_through(self, attempt: _Attempt) -> bool:
        async def stored() -> dict[Partition, Stand]:
            async with self._context.db.connection() as connection:
                return await fence.read(connection, attempt.steps)

        stands = await until_it_works("read the fence", stored)
        return all(
            stands.get(partition) == Stand(step.stand.epoch, step.end)
            for partition, step in attempt.steps.items()
        )

    async def _set_aside(self, record: Record, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        _log.warning("record set aside", place=list(record[:3]), error=type(error).__name__)

        async def reject(tx: Connection, records: Sequence[Record]) -> Outcome:
            return Outcome(rejected=[Rejected(record, "raised", reason)])

        await self._until_committed([record], reject)

    def _count(self, attempt: _Attempt) -> None:
        metrics, rates = self._context.telemetry.metrics, self._context.rates
        rates.add("records", len(attempt.records))
        rates.add("dead_letters", len(attempt.outcome.rejected))
        metrics.batch_records.observe(len(attempt.records))
        for topic, count in Counter(record.topic for record in attempt.records).items():
            metrics.records.labels(topic).inc(count)
        for item in attempt.outcome.rejected:
            metrics.dead_letters.labels(item.record.topic, item.code).inc()

    def _retried(self, error: Exception) -> None:
        _log.warning("batch tried again", error=repr(error))
        self._context.telemetry.metrics.retries.labels(type(error).__name__).inc()


async def _roll_back(transaction: Any) -> None:
    try:
        await transaction.rollback()
    except Exception as error:
        if not is_outage(error):
            raise


def _is_hopeless(error: Exception) -> bool:
    return not (isinstance(error, Fenced | Halted) or is_outage(error))
