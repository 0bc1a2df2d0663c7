"""A worker's lanes: partition number n belongs to lane n modulo their count."""

import asyncio
from collections.abc import Collection, Mapping
from typing import Final

from zhiyin.runtime.context import LaneContext
from zhiyin.runtime.fence import Stand
from zhiyin.runtime.lane import Lane
from zhiyin.runtime.log import Partition
from zhiyin.runtime.timer_wakes import DatabaseClock

_LOSE_SECONDS: Final = 2.0


class Lanes:
    def __init__(self, context: LaneContext, clock: DatabaseClock) -> None:
        self.each = [Lane(context, clock, self.wake) for _ in range(context.options.lanes)]

    @property
    def stands(self) -> dict[Partition, Stand]:
        return {partition: at for lane in self.each for partition, at in lane.stands.items()}

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(number for lane in self.each for number in lane.numbers)

    @property
    def unpublished(self) -> int:
        """Batches committed and not yet published."""
        return sum(lane.outbox.pending for lane in self.each)

    def take(self, stands: Mapping[Partition, Stand]) -> None:
        for lane in self.each:
            if share := {p: at for p, at in stands.items() if self._of(p.number) is lane}:
                lane.take(share)

    async def lose(self, partitions: Collection[Partition]) -> None:
        shares = [
            (lane, [p for p in partitions if self._of(p.number) is lane]) for lane in self.each
        ]
        await asyncio.gather(*(lane.lose(share, _LOSE_SECONDS) for lane, share in shares if share))

    def fenced_before(self, at: float) -> frozenset[Partition]:
        """Partitions that the fence took from us before that time of the loop."""
        return frozenset(
            partition
            for lane in self.each
            for partition, fenced_at in lane.fenced_at.items()
            if fenced_at < at
        )

    def wake(self, number: int, at: float) -> None:
        """Have the owner of a partition number look for due timers, if it is one of us."""
        lane = self._of(number)
        if number in lane.numbers:
            lane.wake_at(at)

    def _of(self, number: int) -> Lane:
        return self.each[number % len(self.each)]
