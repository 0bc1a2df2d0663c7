"""Requests over kept-alive connections with as little client cost as Python allows, since server
and client share the machine."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct


class Load(Struct, frozen=True):
    """Latencies are in milliseconds."""

    requests: int
    seconds: float
    p50: float
    p99: float
    refused: int

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


def request_bytes(
    url: str, key: str, path: str, body: bytes | None = None, traceparent: str | None = None
) -> bytes:
    """One HTTP/1.1 request, whole."""
    method = "GET" if body is None else "POST"
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body or b'')}",
        *([f"traceparent: {traceparent}"] if traceparent else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


async def drive(url: str, make: Callable[[int], bytes], requests: int, connections: int) -> Load:
    """Send `make(0)`, `make(1)`, … over `connections` connections, one at a time on each."""
    place = urlsplit(url)
    host, port = place.hostname or "", place.port or 80
    numbers = iter(range(requests))
    latencies: list[float] = []
    refused: list[int] = []
    loop = asyncio.get_running_loop()
    started = time.perf_counter()
    pairs = [
        await loop.create_connection(
            lambda: _Connection(make, numbers, latencies, refused), host, port
        )
        for _ in range(connections)
    ]
    await asyncio.gather(*(connection.done for _, connection in pairs))
    seconds = time.perf_counter() - started
    for transport, _ in pairs:
        transport.close()
    latencies.sort()
    return Load(
        requests,
        seconds,
        1000 * quantile(latencies, 0.5),
        1000 * quantile(latencies, 0.99),
        len(refused),
    )


class _Connection(asyncio.Protocol):
    """One request after the other, without streams or tasks: they cost as much as the server."""

    def __init__(
        self,
        make: Callable[[int], bytes],
        numbers: Iterator[int],
        latencies: list[float],
        refused: list[int],
    ) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._make = make
        self._numbers = numbers
        self._latencies = latencies
        self._refused = refused
        self._missing = 0
        self._head = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        self._next()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            self._head += data
            head, end, body = self._head.partition(b"\r\n\r\n")
            if not end:
                return
            self._missing = _length(head) - len(body)
            self._head = b""
            if (status := int(head[9:12])) >= 300:
                self._refused.append(status)
        if self._missing == 0:
            self._latencies.append(time.perf_counter() - self._started)
            self._next()

    def _next(self) -> None:
        number = next(self._numbers, None)
        if number is None:
            self.done.set_result(None)
            return
        self._started = time.perf_counter()
        self._transport.write(self._make(number))


async def answer_status(reader: asyncio.StreamReader) -> int:
    """Read one answer; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(_length(head))
    return int(head[9:12])


def _length(head: bytes) -> int:
    at = head.lower().index(b"content-length:") + 15
    return int(head[at:].partition(b"\r")[0])


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
