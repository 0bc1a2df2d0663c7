"""Those who listen: at most so many, each only while it may, none for longer than the process."""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Final

from prometheus_client import Gauge
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.live.following import Pace, event_text
from zhiyin.runtime.problems import Problem

_MOST: Final = 64
# Whoever takes nothing for so long is gone, whatever the network says.
_PATIENCE_SECONDS: Final = 30.0
_HEADERS: Final = {
    "cache-control": "no-store",
    "x-accel-buffering": "no",  # else nginx holds back what should be told at once
}

Texts = AsyncGenerator[bytes, None]
Still = Callable[[], Awaitable[Problem | None]]


class Listeners:
    """`counted`: by stream."""

    def __init__(self, counted: Gauge, pace: Pace) -> None:
        self.pace = pace
        self.closing = False
        self._counted = counted
        self._listening = 0

    def close(self) -> None:
        """Let everybody go: they come again, to another gateway or to this one's successor."""
        self.closing = True

    def answer(self, stream: str, texts: Texts, still: Still) -> Response:
        """`texts` has something, if only nothing, at least every second. `still`: why the listener
        may not go on, None if it may; asked again and again. Raises Problem (429)."""
        if self._listening >= _MOST:
            raise Problem(429, "busy", "too many are listening at this gateway", retry_after=5)
        return _EventStream(self, stream, texts, still)

    def came(self, stream: str) -> None:
        self._listening += 1
        self._counted.labels(stream).inc()

    def went(self, stream: str) -> None:
        self._listening -= 1
        self._counted.labels(stream).dec()


class _EventStream(Response):
    def __init__(self, listeners: Listeners, stream: str, texts: Texts, still: Still) -> None:
        super().__init__(headers=_HEADERS, media_type="text/event-stream")
        del self.headers["content-length"]
        self._listeners = listeners
        self._stream = stream
        self._texts = texts
        self._still = still

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._listeners.came(self._stream)
        telling = asyncio.create_task(self._tell(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._listeners.went(self._stream)
            for task in (telling, leaving):
                task.cancel()
            await asyncio.gather(telling, leaving, return_exceptions=True)
        if not telling.cancelled():
            telling.result()

    async def _tell(self, send: Send) -> None:
        start = {"status": self.status_code, "headers": self.raw_headers}
        try:
            await send({"type": "http.response.start", **start})
            asked = time.monotonic()
            async for text in self._texts:
                await _say(send, text)
                if self._listeners.closing:
                    break
                if time.monotonic() - asked >= self._listeners.pace.recheck:
                    asked = time.monotonic()
                    if problem := await self._still():
                        told = {"code": problem.code, "message": problem.message}
                        await _say(send, event_text("closed", told))
                        break
            await send({"type": "http.response.body", "body": b""})
        finally:
            await self._texts.aclose()


async def _say(send: Send, text: bytes) -> None:
    """Raises TimeoutError when it is not taken: the connection then breaks off."""
    if text:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await send({"type": "http.response.body", "body": text, "more_body": True})


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
