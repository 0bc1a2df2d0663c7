"""Appends that come at the same time share one write."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, NamedTuple

from zhiyin.runtime.log.interface import LARGEST_MESSAGE, LogUnavailable, Message, Position

Write = Callable[[Sequence[Message]], Awaitable[Sequence[Position]]]

_MOST_PER_WRITE: Final = 5_000
_MOST_BYTES_PER_WRITE: Final = 4 * 2**20
_MOST_BYTES_WAITING: Final = 64 * 2**20


class _Waiting(NamedTuple):
    messages: Sequence[Message]
    size: int
    written: asyncio.Future[Sequence[Position]]


class GroupCommit:
    """While one write is under way, what arrives is collected for the next. Memory is bounded:
    what does not fit is refused, for the caller to try again."""

    def __init__(self, write: Write, timeout: float) -> None:
        self._write = write
        self._timeout = timeout
        self._queue: deque[_Waiting] = deque()
        self._bytes = 0
        self._writer: asyncio.Task[None] | None = None

    async def append(self, messages: Sequence[Message]) -> Sequence[Position]:
        """Positions in the order given. Raises LogUnavailable within the time-out (seconds)."""
        if not messages:
            return ()
        if any(len(message.value) > LARGEST_MESSAGE for message in messages):
            raise ValueError(f"a message has more than {LARGEST_MESSAGE} bytes")
        size = sum(len(message.value) + 100 for message in messages)
        if self._queue and self._bytes + size > _MOST_BYTES_WAITING:
            raise LogUnavailable("too much is waiting to be written")
        written: asyncio.Future[Sequence[Position]] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(messages, size, written))
        self._bytes += size
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._drain())
        try:
            async with asyncio.timeout(self._timeout):
                return await written
        except TimeoutError as error:
            raise LogUnavailable(f"not confirmed within {self._timeout:g} s") from error

    async def stop(self) -> None:
        """Write what is waiting, within the time-out."""
        if self._writer is not None and not self._writer.done():
            await asyncio.wait([self._writer], timeout=self._timeout)
            self._writer.cancel()

    async def _drain(self) -> None:
        while taken := self._take():
            try:
                positions = await self._write([m for entry in taken for m in entry.messages])
            except Exception as error:  # noqa: BLE001 - told to those who wait
                _fail(taken, error)
            except asyncio.CancelledError:
                _fail(taken, LogUnavailable("the log was stopped"))
                raise
            else:
                _confirm(taken, positions)

    def _take(self) -> list[_Waiting]:
        taken: list[_Waiting] = []
        count = size = 0
        while self._queue and (not taken or count < _MOST_PER_WRITE):
            if taken and size + self._queue[0].size > _MOST_BYTES_PER_WRITE:
                break
            entry = self._queue.popleft()
            self._bytes -= entry.size
            if entry.written.done():  # its caller gave up before it was written
                continue
            taken.append(entry)
            count += len(entry.messages)
            size += entry.size
        return taken


def _confirm(taken: Sequence[_Waiting], positions: Sequence[Position]) -> None:
    start = 0
    for entry in taken:
        end = start + len(entry.messages)
        if not entry.written.done():
            entry.written.set_result(positions[start:end])
        start = end


def _fail(taken: Sequence[_Waiting], error: Exception) -> None:
    for entry in taken:
        if not entry.written.done():
            entry.written.set_exception(error)
