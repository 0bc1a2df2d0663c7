"""A receiver of webhooks that knows when the event behind each was posted: by the trace, which goes
with a request from the storefront through the log to the receiver."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Final

import httpx

_OK: Final = b"HTTP/1.1 204 No Content\r\n\r\n"
_HOOK: Final = "bench"


@dataclass
class Posted:
    """When each trace began, and how long after it its webhooks came, in seconds."""

    at: dict[str, float] = field(default_factory=dict)
    took: list[float] = field(default_factory=list)

    def begin(self) -> str:
        """A new trace, as a `traceparent`."""
        trace = token_hex(16)
        self.at[trace] = time.perf_counter()
        return f"00-{trace}-{token_hex(8)}-00"

    def came(self, traceparent: str) -> None:
        posted = self.at.get(traceparent[3:35])
        if posted is not None:
            self.took.append(time.perf_counter() - posted)


@asynccontextmanager
async def receiving(posted: Posted) -> AsyncIterator[str]:
    """Its address."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Receiver(posted), "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"


class _Receiver(asyncio.Protocol):
    def __init__(self, posted: Posted) -> None:
        self._posted = posted
        self._transport: asyncio.WriteTransport | None = None
        self._read = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._read += data
        while b"\r\n\r\n" in self._read:
            head, _, rest = self._read.partition(b"\r\n\r\n")
            headers = _headers(head)
            length = int(headers["content-length"])
            if len(rest) < length:
                return
            self._read = rest[length:]
            self._posted.came(headers.get("traceparent", ""))
            assert self._transport is not None
            self._transport.write(_OK)


def _headers(head: bytes) -> Mapping[str, str]:
    lines = (line.partition(":") for line in head.decode().split("\r\n")[1:])
    return {name.lower(): value.strip() for name, _, value in lines}


async def call_after_views(client: httpx.AsyncClient, url: str) -> None:
    """Launch a campaign that answers every page view, a third of all events, with a webhook."""
    campaign = {
        "key": _HOOK,
        "name": "Calls the shop back",
        "purpose": "transactional",
        "trigger": {"on": "event", "type": "browse.viewed"},
        "steps": [{"webhook": {"channel": _HOOK}}],
    }
    for method, path, body in (
        ("PUT", f"/v1/channels/{_HOOK}", {"kind": "webhook", "config": {"url": url}}),
        ("POST", "/v1/campaigns", campaign),
        ("POST", f"/v1/campaigns/{_HOOK}/launch", {}),
    ):
        (await client.request(method, path, json=body)).raise_for_status()


async def call_no_more(client: httpx.AsyncClient) -> None:
    (await client.post(f"/v1/campaigns/{_HOOK}/end", json={})).raise_for_status()
