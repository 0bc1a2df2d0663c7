"""Posting many events: in batches, several at a time, at a rate."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final, Protocol

from zhiyin.demo.errors import DemoError
from zhiyin.demo.gateway import Accepted

BATCH: Final = 500
IN_FLIGHT: Final = 4
_BATCHES_A_SECOND: Final = 10  # with a rate, batches are small enough to spread evenly


class Door(Protocol):
    """Where events go."""

    async def post_events(self, events: Sequence[bytes]) -> Accepted: ...


class Advance(Protocol):
    """Told how many more were accepted."""

    def advance(self, events: int) -> None: ...


async def send(
    door: Door, events: Iterator[bytes], progress: Advance, rate: float | None = None
) -> Sequence[str]:
    """Post all of `events`, `rate` of them a second (None: as fast as they are taken). Returns the
    receipts. Raises DemoError when the gateway finds fault with an event: none may be lost."""
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
                first = answer.rejected[0]
                raise DemoError(
                    f"the gateway rejected {len(answer.rejected)} events, the first one "
                    f"{first.event_id}: {first.code} {first.message}"
                )
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
    while batch := list(islice(events, size)):
        yield batch
