"""What a lane takes in: fetches ahead, and lets nothing through that does not follow on."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final

import structlog

from zhiyin.runtime.batch_size import BatchSize
from zhiyin.runtime.context import WorkerOptions
from zhiyin.runtime.fence import Stand
from zhiyin.runtime.halting import Halted
from zhiyin.runtime.log import LogConsumer, LogUnavailable, OffsetOutOfRange, Partition, Record

_FETCH_WAIT: Final = 1.0
_FEW: Final = 50
_LONGEST_REST: Final = 0.1
_log = structlog.get_logger(__name__)

Found = Mapping[Partition, Sequence[Record]]


class Intake:
    """Of one lane; `stands` and `woken` are the lane's."""

    def __init__(
        self,
        consumer: LogConsumer,
        options: WorkerOptions,
        stands: Mapping[Partition, Stand],
        woken: asyncio.Event,
        size: BatchSize,
    ) -> None:
        self._consumer = consumer
        self._options = options
        self._stands = stands
        self._woken = woken
        self._size = size
        self._fetching: asyncio.Task[Found] | None = None
        self._stale = False
        self._sought: set[Partition] = set()
        self._rests_until = 0.0

    async def next(self, wait: float) -> list[Record]:
        """The next records of every partition held, each continuing where it stands; empty when
        there are none within `wait` seconds or the lane is woken. Raises Halted."""
        if self._stale:
            await self._drop()
        now = asyncio.get_running_loop().time()
        if self._fetching is None and now < self._rests_until:
            await self._doze(min(wait, self._rests_until - now))
            return []
        if self._stands:
            self._begin()
        if not self._fetched():
            await self._doze(wait)
        fetching = self._fetching
        if fetching is None or not self._fetched():
            return []
        self._fetching = None
        return self._continuing(self._result(fetching))

    def ahead(self, records: int) -> None:
        """While a batch of so many is applied: have the next ready, where much is coming."""
        if records >= _FEW:
            self._begin()

    def applied(self, records: int, seconds: float) -> None:
        """A batch costs about the same whether it holds one record or ten, so a lane that found
        few rests before it looks again; a lone record after a rest does not wait. Where a small
        batch takes long the machine is busy, and more are to gather for the next."""
        few = records < min(_FEW, self._size.limit)
        rest = max(self._options.batch_rest, min(seconds, _LONGEST_REST)) if few else 0.0
        self._rests_until = asyncio.get_running_loop().time() + rest

    def interrupt(self) -> None:
        """The partitions have changed: what is being fetched is not wanted."""
        self._stale = True
        self._sought.clear()
        self._woken.set()

    def rewind(self) -> None:
        """Go back to where the partitions stand."""
        self._stale = True

    async def stop(self) -> None:
        fetching, self._fetching = self._fetching, None
        if fetching is not None:
            fetching.cancel()
            await asyncio.wait([fetching])

    def _fetched(self) -> bool:
        return self._fetching is not None and self._fetching.done() and not self._stale

    async def _drop(self) -> None:
        """Forget what was fetched, and have it fetched again from where each partition stands."""
        self._stale = False
        await self.stop()
        for partition, stand in self._stands.items():
            self._consumer.seek(partition, stand.next)

    def _begin(self) -> None:
        """Start fetching, unless that is under way."""
        if self._fetching is None and not self._stale:
            self._fetching = asyncio.create_task(self._fetch(frozenset(self._stands)))
            self._fetching.add_done_callback(lambda _: self._woken.set())

    async def _fetch(self, partitions: frozenset[Partition]) -> Found:
        try:
            return await self._consumer.fetch(partitions, self._size.limit, _FETCH_WAIT)
        except LogUnavailable as error:
            _log.warning("nothing fetched", error=repr(error))
            await asyncio.sleep(_FETCH_WAIT)
            return {}

    def _result(self, fetching: asyncio.Task[Found]) -> Found:
        try:
            return fetching.result()
        except OffsetOutOfRange as error:
            raise Halted(
                f"the log was truncated or recreated: {error}; records may be missing, so nothing"
                " is skipped: see the operations guide"
            ) from error

    def _continuing(self, found: Found) -> list[Record]:
        records: list[Record] = []
        for partition in sorted(found):
            stand = self._stands.get(partition)
            batch = found[partition]
            if stand is not None and batch[0].offset < stand.next:
                batch = [record for record in batch if record.offset >= stand.next]
            if stand is not None and batch and self._follows(partition, stand, batch[0]):
                records.extend(batch)
        return records

    def _follows(self, partition: Partition, stand: Stand, first: Record) -> bool:
        """A jump may be a fetch we dropped: read again. If the log then still jumps, the offsets
        between hold no records."""
        if first.offset == stand.next or partition in self._sought:
            self._sought.discard(partition)
            return True
        _log.warning("records missing, reading again", partition=list(partition), at=stand.next)
        self._sought.add(partition)
        self._stale = True
        return False

    async def _doze(self, wait: float) -> None:
        try:
            async with asyncio.timeout(wait):
                await self._woken.wait()
        except TimeoutError:
            pass
        finally:
            self._woken.clear()
