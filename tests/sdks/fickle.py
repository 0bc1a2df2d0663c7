"""A proxy before the gateway that does to each client what can happen to any: refused, taken but
told otherwise, cut off while the gateway starts anew. Afterwards it passes everything on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

_COUNTED = "POST"  # preflights and settings are no attempts to send something
_REFUSAL = b'{"code": "%s", "message": "come again"}'


@dataclass
class Fickle:
    """`gone` is set once the gateway is away; until then the third attempt is held. `told`: the
    status that each attempt was answered with, 0 if it was cut off."""

    gateway_port: int
    gone: asyncio.Event
    port: int = 0
    told: list[int] = field(default_factory=list)
    paths: set[str] = field(default_factory=set)
    misled: asyncio.Event = field(default_factory=asyncio.Event)
    met_all: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer(reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass  # cut off, by us or by them
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(_length(head))
        method, path = head.split(b" ", 2)[:2]
        counted = method.decode() == _COUNTED
        if not counted:
            writer.write(await self._passed_on(head, body))
            return
        self.paths.add(path.decode().partition("?")[0])
        attempt = len(self.told)
        self.told.append(0)
        if attempt == 0:
            self.told[0] = 429
            writer.write(_refusal(429, b"rate_limited"))
        elif attempt == 1:
            await self._passed_on(head, body)
            self.told[1] = 503
            self.misled.set()
            writer.write(_refusal(503, b"unavailable"))
        elif attempt == 2:
            await self.misled.wait()  # browsers send several at once
            self.met_all.set()
            await self.gone.wait()
        else:
            answer = await self._passed_on(head, body)
            self.told[attempt] = int(answer.split(b" ", 2)[1])
            writer.write(answer)

    async def _passed_on(self, head: bytes, body: bytes) -> bytes:
        """The gateway's whole answer. Raises OSError when nobody is there."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.gateway_port)
        try:
            writer.write(_closing(head) + body)
            answer = await reader.read()
        finally:
            writer.close()
        if not answer:
            raise ConnectionResetError("cut off")
        return answer


def _closing(head: bytes) -> bytes:
    """The same request for one connection of its own."""
    lines = head.rstrip(b"\r\n").split(b"\r\n")
    kept = [line for line in lines if not line.lower().startswith(b"connection:")]
    return b"\r\n".join([*kept, b"Connection: close"]) + b"\r\n\r\n"


def _length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


def _refusal(status: int, code: bytes) -> bytes:
    body = _REFUSAL % code
    return (
        b"HTTP/1.1 %d No\r\nContent-Type: application/problem+json\r\nRetry-After: 1\r\n"
        b"Access-Control-Allow-Origin: *\r\nAccess-Control-Expose-Headers: Retry-After\r\n"
        b"Connection: close\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)
    )


@asynccontextmanager
async def fickle(gateway_port: int, gone: asyncio.Event) -> AsyncIterator[Fickle]:
    proxy = Fickle(gateway_port, gone)
    server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=8 * 1024 * 1024)
    proxy.port = server.sockets[0].getsockname()[1]
    async with server:
        yield proxy
