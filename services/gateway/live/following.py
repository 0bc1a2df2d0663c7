"""Follows the log for one listener, and says what comes as server-sent events."""

import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection, Mapping
from typing import Any, Final

import msgspec
import structlog
from msgspec import Struct

from services.gateway.live.places import place_of
from services.gateway.live.streams import Stream
from zhiyin.runtime.log import LogUnavailable, OffsetOutOfRange, Partition, Record, Tail

# What is read ahead of a listener, who is waited for: a slow one is behind, and costs no memory.
_MOST_RECORDS: Final = 100
_WAIT_SECONDS: Final = 1.0
_RETRY_MS: Final = 2000
_encoder: Final = msgspec.json.Encoder()
_log = structlog.get_logger(__name__)

Wanted = Mapping[str, Collection[str]]


class Pace(Struct, frozen=True):
    """Seconds: between signs of life where nothing else is said, and between looks at whether the
    listener may still listen."""

    heartbeat: float = 10.0
    recheck: float = 1.0


class Following:
    """One listener. `positions`: the next of each partition, moved on as it is told."""

    def __init__(
        self,
        stream: Stream,
        tail: Tail,
        positions: Mapping[Partition, int],
        wanted: Wanted,
        pace: Pace,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._stream = stream
        self._tail = tail
        self._positions = dict(positions)
        self._wanted = wanted
        self._pace = pace
        self._monotonic = monotonic

    async def told(self) -> AsyncGenerator[bytes, None]:
        """Text of server-sent events; empty when there is nothing to say for a moment. Ends when
        the log is away: the listener then comes again."""
        try:
            begins = await self._tail.start(self._positions)
            yield f"retry: {_RETRY_MS}\n\n".encode()
            if lost := sum(begins[each] - self._positions[each] for each in begins):
                self._positions.update(begins)
                yield event_text("gap", {"records": lost}, self._place())
            async for text in self._news():
                yield text
        except (LogUnavailable, OffsetOutOfRange) as error:
            _log.warning("a listener was let go", stream=self._stream.name, error=repr(error))
        finally:
            await self._tail.stop()

    async def _news(self) -> AsyncIterator[bytes]:
        last = self._monotonic()
        while True:
            wait = min(_WAIT_SECONDS, self._pace.heartbeat, self._pace.recheck)
            text = b"".join(map(self._text, await self._tail.fetch(_MOST_RECORDS, wait)))
            if not text and self._monotonic() - last >= self._pace.heartbeat:
                text = f": still here\nid: {self._place()}\n\n".encode()
            if text:
                last = self._monotonic()
            yield text

    def _text(self, record: Record) -> bytes:
        self._positions[Partition(record.topic, record.partition)] = record.offset + 1
        try:
            told = self._stream.tell(record)
        except (msgspec.DecodeError, ValueError):  # a dead letter of whoever reads the topic
            return b""
        if not all(_fits(told[name], values) for name, values in self._wanted.items()):
            return b""
        return event_text(self._stream.name.removesuffix("s"), told, self._place())

    def _place(self) -> str:
        return place_of(self._stream.topics, self._positions)


def event_text(name: str, told: Any, place: str | None = None) -> bytes:
    """One server-sent event. JSON as it is written here has no line break in it."""
    lines = [f"id: {place}\n".encode()] if place is not None else []
    return b"".join((*lines, f"event: {name}\ndata: ".encode(), _encoder.encode(told), b"\n\n"))


def _fits(told: Any, values: Collection[str]) -> bool:
    """Of an object one of its members, as `name:value`, must be among the values."""
    if isinstance(told, dict):
        return any(f"{name}:{value}" in values for name, value in told.items())
    return told in values
