"""A webhook receiver on a real socket that does what a test tells it to."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import msgspec

SECRET = "whsec_c2VjcmV0IHNlY3JldCBzZWNyZXQgMQ=="
Answer = tuple[int, dict[str, str]] | float  # status and headers, or how long to hang


@dataclass
class Receiver:
    """`answers` says what comes next; once it is empty everything is taken with 200."""

    answers: list[Answer] = field(default_factory=list)
    port: int = 0
    taken: Counter[str] = field(default_factory=Counter)
    seen: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open.add(writer)
        try:
            while True:
                await self._one(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:]
        headers = {
            name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)
        }
        body = await reader.readexactly(int(headers["content-length"]))
        self.seen.append(headers)
        self.bodies.append(body)
        answer = self.answers.pop(0) if self.answers else (200, {})
        if isinstance(answer, float):
            await asyncio.sleep(answer)
            raise ConnectionError
        status, extra = answer
        if status == 200:
            self.taken[msgspec.json.decode(body)["action_id"]] += 1
        lines = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
        writer.write(f"HTTP/1.1 {status} x\r\n{lines}content-length: 0\r\n\r\n".encode())
        await writer.drain()


@asynccontextmanager
async def a_receiver(*answers: Answer) -> AsyncIterator[Receiver]:
    receiver = Receiver(list(answers))
    server = await asyncio.start_server(receiver.serve, "127.0.0.1", 0)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        for writer in receiver.open:
            writer.transport.abort()
        await asyncio.sleep(0)


async def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():
            await asyncio.sleep(0.01)


@dataclass(frozen=True)
class Exchange:
    """One request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


Handle = Callable[[Exchange], tuple[int, dict[str, str], bytes]]


@asynccontextmanager
async def serving(handle: Handle) -> AsyncIterator[int]:
    """An HTTP server, one request per connection, that answers as it is told. Yields its port."""

    async def one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            method, target, _ = head[0].split(" ")
            pairs = (line.partition(":") for line in head[1:] if line)
            headers = {name.lower(): value.strip() for name, _, value in pairs}
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            status, extra, answer = handle(Exchange(method, target, headers, body))
            extra = {**extra, "content-length": str(len(answer)), "connection": "close"}
            lines = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
            writer.write(f"HTTP/1.1 {status} x\r\n{lines}\r\n".encode() + answer)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(one, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
