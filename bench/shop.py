"""A storefront that posts events at a steady pace, as cheaply as Python allows: it shares the
machine with what it measures."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from itertools import count, cycle
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

from bench.http_load import answer_status, request_bytes
from bench.streams import events
from bench.webhooks import Posted

PEOPLE: Final = 20_000
_KINDS: Final = 50_000
_TICK: Final = 0.05
_CONNECTIONS: Final = 16
_MOST_AT_ONCE: Final = 500
_PATIENCE: Final = 30.0
_ID: Final = b"@id@"
_AT: Final = b"@at@"

_Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


def bodies() -> Iterator[bytes]:
    """Events without end, each new: the same purchases and views come again under other ids."""
    kinds = [_template(event) for event in events(_KINDS, PEOPLE)]
    run = time.time_ns() % 1_000_000_000
    for number, kind in zip(count(), cycle(kinds)):
        yield kind.replace(_ID, b"%d-%d" % (run, number))


def _template(event: Any) -> bytes:
    properties = json.loads(bytes(event.properties))
    if "order_id" in properties:
        properties["order_id"] = _ID.decode()
    return json.dumps(
        {
            "event_id": _ID.decode(),
            "type": event.type,
            "occurred_at": _AT.decode(),
            "customer": dict(event.customer),
            "properties": properties,
        }
    ).encode()


class Shop:
    """Posts a few events per tick in one request, whether or not answers come in time. While
    `posted` is set, each request begins a trace there."""

    def __init__(self, url: str, key: str) -> None:
        self.posted: Posted | None = None
        self._url = url
        self._key = key
        self._bodies = bodies()
        self._turns = asyncio.Semaphore(_CONNECTIONS)
        self._idle: list[_Connection] = []
        self.refused = 0
        self.sent = 0

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()

    async def post(self, rate: float, seconds: float) -> None:
        """`rate` events per second for `seconds`, whether or not answers come in time."""
        started, sent = time.perf_counter(), 0
        waiting: set[asyncio.Task[None]] = set()
        try:
            while (passed := time.perf_counter() - started) < seconds:
                due = min(int(passed * rate) - sent, _MOST_AT_ONCE)
                if due > 0:
                    sent += due
                    task = asyncio.create_task(self._send(due))
                    waiting.add(task)
                    task.add_done_callback(waiting.discard)
                await asyncio.sleep(_TICK)
            await asyncio.gather(*waiting)
        finally:
            for task in waiting:
                task.cancel()

    async def _send(self, events: int) -> None:
        at = datetime.now(UTC).isoformat().encode()
        chosen = b",".join([next(self._bodies) for _ in range(events)])
        body = b'{"events":[' + chosen.replace(_AT, at) + b"]}"
        self.sent += events
        try:
            async with self._turns, asyncio.timeout(_PATIENCE):
                accepted = await self._ask(body) == 202
        except (OSError, EOFError, TimeoutError):
            accepted = False
        self.refused += not accepted

    async def _ask(self, body: bytes) -> int:
        reader, writer = await self._connection()
        trace = self.posted.begin() if self.posted else None
        writer.write(request_bytes(self._url, self._key, "/v1/events", body, trace))
        status = await answer_status(reader)
        self._idle.append((reader, writer))
        return status

    async def _connection(self) -> _Connection:
        """One that the gateway has not closed meanwhile."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        parts = urlsplit(self._url)
        return await asyncio.open_connection(parts.hostname, parts.port)


class Watch:
    """Looks at the platform through its gateway."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def lag(self) -> int:
        """Records behind, summed over every consumer."""
        system = (await self._client.get("/v1/system")).json()
        return sum(sum(service["lag"].values()) for service in system["services"].values())

    async def rest(self, seconds: float) -> bool:
        """Wait until nothing is left to do; False if that takes longer than `seconds`."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.sleep(1.5)  # lag is told once a second
                while await self.lag():
                    await asyncio.sleep(0.5)
                return True
        return False
