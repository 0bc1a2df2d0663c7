"""Taking over partitions: bump their epoch, check that the log is still the one we know."""

from collections.abc import Collection, Mapping
from typing import Final

import structlog

from zhiyin.runtime import fence
from zhiyin.runtime.db import Database
from zhiyin.runtime.fence import Gain, Stand, anchor_of
from zhiyin.runtime.halting import Halted
from zhiyin.runtime.log import LogConsumer, Partition
from zhiyin.runtime.retrying import until_it_works

_ADVICE: Final = "the log was truncated or recreated; nothing is skipped: see the operations guide"
_log = structlog.get_logger(__name__)


class Ownership:
    """Of one worker."""

    def __init__(self, db: Database, consumer: LogConsumer) -> None:
        self._db = db
        self._consumer = consumer
        self._epochs: dict[Partition, int] = {}

    async def gain(self, partitions: Collection[Partition]) -> dict[Partition, Stand]:
        """Take over, however long PostgreSQL or the log may be away. Raises Halted."""
        firsts = {
            partition: first for partition, (first, _) in (await self._bounds(partitions)).items()
        }

        async def bump() -> dict[Partition, Gain]:
            async with self._db.transaction() as tx:
                return await fence.gain(tx, firsts)

        gains = await until_it_works("gain", bump)
        # Asked again: until just now the last holder may have read on, beyond what was the end.
        bounds = await self._bounds(partitions)
        for partition, found in gains.items():
            await self._check(partition, found, bounds[partition])
        self._epochs |= {partition: found.stand.epoch for partition, found in gains.items()}
        return {partition: found.stand for partition, found in gains.items()}

    async def _bounds(
        self, partitions: Collection[Partition]
    ) -> Mapping[Partition, tuple[int, int]]:
        return await until_it_works("bounds", lambda: self._consumer.bounds(partitions))

    async def _check(self, partition: Partition, found: Gain, bounds: tuple[int, int]) -> None:
        first, end = bounds
        if not first <= found.stand.next <= end:
            raise Halted(
                f"{partition} holds {first} to {end}, but we stand at {found.stand.next}: {_ADVICE}"
            )
        anchor, at = found.anchor, found.anchor_offset
        if anchor is None or at is None or at < first:  # nothing read yet, or past retention
            return
        if self._epochs.get(partition) == found.stand.epoch - 1:  # nobody else had it meanwhile
            return
        record = await until_it_works("anchor", lambda: self._consumer.read_one(partition, at))
        if record is None:
            _log.warning("the record before our position is gone", partition=list(partition))
        elif anchor_of(record) != anchor:
            raise Halted(f"{partition} has another record at offset {at}: {_ADVICE}")
