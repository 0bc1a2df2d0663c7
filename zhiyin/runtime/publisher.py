"""Publishes what a lane has committed, in order, while the lane works on."""

import asyncio
from collections import Counter, deque
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Final

import structlog

from zhiyin.runtime.faults import Fault
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.metrics import Metrics
from zhiyin.runtime.outbox import Letter, Row, published_form
from zhiyin.runtime.retrying import until_it_works

_MOST_WAITING: Final = 32
_MOST_BYTES_WAITING: Final = 64 * 2**20
_LETTERS_AT_ONCE: Final = 8
_BYTES_AT_ONCE: Final = 4 * 2**20
_log = structlog.get_logger(__name__)


class Publisher:
    """Of one lane. With the log away it tries until it is back; the lane waits once too much is
    committed and not published, so memory is bounded."""

    def __init__(
        self,
        log: EventLog,
        metrics: Metrics,
        fault: Fault,
        published: Callable[[Sequence[Row]], None],
    ) -> None:
        self._log = log
        self._metrics = metrics
        self._fault = fault
        self._published = published
        self._letters: deque[Letter] = deque()
        self._more = asyncio.Event()
        self._room = asyncio.Event()
        self._idle = asyncio.Event()
        self._room.set()
        self._idle.set()

    async def add(self, letters: Sequence[Letter]) -> None:
        """Returns at once, unless too much is waiting already."""
        await self._room.wait()
        self._letters.extend(letters)
        if self._letters:
            self._idle.clear()
            self._more.set()
        if self._full():
            self._room.clear()

    def forget(self, lost: Callable[[Row], bool]) -> None:
        """Rows that are no longer ours to publish."""
        self._letters = deque(letter for letter in self._letters if not lost(letter.row))
        self._signal()

    @property
    def waiting(self) -> int:
        return len(self._letters)

    async def drained(self) -> None:
        await self._idle.wait()

    async def run(self) -> None:
        while True:
            if self._letters:
                await until_it_works("publish", self._publish)
            self._signal()
            self._more.clear()
            if not self._letters:
                await self._more.wait()

    async def _publish(self) -> None:
        letters = self._next()
        messages = [published_form(item) for letter in letters for item in letter.outgoing]
        await self._log.append(messages)
        self._fault("after_publish")
        for topic, count in Counter(message.topic for message in messages).items():
            self._metrics.published.labels(topic).inc(count)
        sent = {letter.row for letter in letters}
        self._letters = deque(letter for letter in self._letters if letter.row not in sent)
        self._published([letter.row for letter in letters])

    def _next(self) -> list[Letter]:
        """Those in front; of large ones few, so that each append stays well within its time-out."""
        letters: list[Letter] = []
        size = 0
        for letter in islice(self._letters, _LETTERS_AT_ONCE):
            if letters and size + letter.size > _BYTES_AT_ONCE:
                break
            letters.append(letter)
            size += letter.size
        return letters

    def _full(self) -> bool:
        waiting = sum(letter.size for letter in self._letters)
        return len(self._letters) >= _MOST_WAITING or waiting > _MOST_BYTES_WAITING

    def _signal(self) -> None:
        if not self._full():
            self._room.set()
        if not self._letters:
            self._idle.set()
