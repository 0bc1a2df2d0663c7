"""Posting many events: in batches, several at a time, at a rate."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Protocol

from zhiyin.demo.errors import DemoError
from zhiyin.demo.gateway import Accepted, Rejection

BATCH: Final = 500
IN_FLIGHT: Final = 4
_MOST_BYTES: Final = 4_000_000
_BATCHES_A_SECOND: Final = 10  # with a rate, batches are small enough to spread evenly


class Door(Protocol):
    """Where events go."""

    async def post_events(self, events: Sequence[bytes]) -> Accepted: ...


class Advance(Protocol):
    """Told how many more were accepted."""

    def advance(self, events: int) -> None: ...


def none_may_be_lost(rejected: Sequence[Rejection]) -> None:
    """Raises DemoError: the demo's own events are all valid."""
    raise DemoError(f"the gateway rejected {len(rejected)} events, first {rejected[0]}")


async def send(
    door: Door,
    events: Iterator[bytes],
    progress: Advance,
    rate: float | None = None,
    on_rejected: Callable[[Sequence[Rejection]], None] = none_may_be_lost,
) -> Sequence[str]:
    """Post all of `events`, `rate` of them a second (None: as fast as they are taken). Returns the
    receipts."""
    size = BATCH if rate is None else max(1, min(BATCH, int(rate / _BATCHES_A_SECOND)))
    source = _batches(events, size)
    begun = time.monotonic()
    receipts: list[str] = []
    sent = 0

    async def work() -> None:
        nonlocal sent
        for batch in source:
            due = begun + sent / rate if rate else begun
            sent += len(batch)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            answer = await door.post_events(batch)
            if answer.rejected:
                on_rejected(answer.rejected)
            receipts.append(answer.receipt)
            progress.advance(len(batch))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(work())
    except ExceptionGroup as troubles:
        raise troubles.exceptions[0] from troubles
    return receipts


def _batches(events: Iterator[bytes], size: int) -> Iterator[Sequence[bytes]]:
    """Up to `size` events each, and never a body the gateway would find too large."""
    batch: list[bytes] = []
    weight = 0
    for event in events:
        if batch and (len(batch) == size or weight + len(event) > _MOST_BYTES):
            yield batch
            batch, weight = [], 0
        batch.append(event)
        weight += len(event) + 1
    if batch:
        yield batch
