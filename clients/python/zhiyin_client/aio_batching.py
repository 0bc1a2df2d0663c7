"""Events collected and sent in batches, from a task of its own."""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Final, Self

import msgspec

from zhiyin_client.errors import BufferFull, ZhiyinError
from zhiyin_client.models import Event, Taken

_log = logging.getLogger("zhiyin_client")
Failed = Callable[[Sequence[Event], ZhiyinError], None]
_MOST_AT_ONCE: Final = 2500


class AsyncBatching:
    """As `Batching`, within `async with`: sends when `size` events are waiting, every `seconds`,
    at `flush` and at the end."""

    def __init__(
        self,
        send: Callable[[Sequence[Event]], Awaitable[Taken]],
        *,
        size: int = 100,
        seconds: float = 1.0,
        most: int = 10_000,
        failed: Failed | None = None,
        taken: Callable[[Taken], None] | None = None,
    ) -> None:
        if not 1 <= size <= _MOST_AT_ONCE:
            raise ValueError(f"a batch has 1 to {_MOST_AT_ONCE} events")
        self._send = send
        self._size = size
        self._seconds = seconds
        self._most = most
        self._failed = failed
        self._taken = taken
        self._waiting: deque[Event] = deque()
        self._full = asyncio.Event()
        self._one_at_a_time = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            async with self._one_at_a_time:  # what is being sent is not cut off
                self._task.cancel()
        await self.flush()

    def add(self, event: Event) -> None:
        """Returns at once. Raises BufferFull if too many are waiting already, and TypeError for
        what JSON has no way to say."""
        msgspec.json.encode(event)
        if len(self._waiting) >= self._most:
            raise BufferFull(f"{self._most} events are waiting to be sent")
        self._waiting.append(event)
        if len(self._waiting) >= self._size:
            self._full.set()

    async def flush(self) -> None:
        """Returns when everything added so far has been sent, or has failed."""
        async with self._one_at_a_time:
            while self._waiting:
                count = min(self._size, len(self._waiting))
                await self._tell([self._waiting.popleft() for _ in range(count)])

    async def _run(self) -> None:
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._full.wait(), self._seconds)
            self._full.clear()
            await self.flush()

    async def _tell(self, batch: Sequence[Event]) -> None:
        try:
            answer = await self._send(batch)
        except ZhiyinError as error:
            if self._failed is None:
                _log.warning("%d events were not sent: %s", len(batch), error)
            else:
                self._failed(batch, error)
            return
        if self._taken is not None:
            self._taken(answer)
