"""Requests over kept-alive connections with as little client cost as Python allows, since server
and client share the machine."""

import asyncio
import time
from collections.abc import Callable, Sequence
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


def request_bytes(url: str, key: str, path: str, body: bytes | None = None) -> bytes:
    """One HTTP/1.1 request, whole."""
    method = "GET" if body is None else "POST"
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: {urlsplit(url).netloc}",
        f"Authorization: Bearer {key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body or b'')}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b"")


async def drive(url: str, make: Callable[[int], bytes], requests: int, connections: int) -> Load:
    """Send `make(0)`, `make(1)`, … over `connections` connections, one at a time on each."""
    numbers = iter(range(requests))
    latencies: list[float] = []
    refused = 0

    async def connection() -> None:
        nonlocal refused
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        for number in numbers:
            started = time.perf_counter()
            writer.write(make(number))
            if await answer_status(reader) >= 300:
                refused += 1
            latencies.append(time.perf_counter() - started)
        writer.close()

    started = time.perf_counter()
    await asyncio.gather(*(connection() for _ in range(connections)))
    seconds = time.perf_counter() - started
    latencies.sort()
    return Load(
        requests,
        seconds,
        1000 * quantile(latencies, 0.5),
        1000 * quantile(latencies, 0.99),
        refused,
    )


async def answer_status(reader: asyncio.StreamReader) -> int:
    """Read one answer; its status."""
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lower = head.lower()
    at = lower.index(b"content-length:") + 15
    await reader.readexactly(int(lower[at : lower.index(b"\r", at)]))
    return status


def quantile(ordered: Sequence[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]
