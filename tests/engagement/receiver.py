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
