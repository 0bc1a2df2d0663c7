"""A TCP proxy between a worker and PostgreSQL that loses what the network could lose."""

import asyncio
import contextlib
from dataclasses import dataclass, field


@dataclass
class Proxy:
    """Forwards to `port`. `swallow_commits` cuts that many connections right after PostgreSQL
    has answered COMMIT, before the answer is passed on."""

    port: int
    listen: int = 0
    swallow_commits: int = 0
    swallowed: int = 0
    _server: asyncio.Server | None = None
    _ends: set[asyncio.StreamWriter] = field(default_factory=set)

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._link, "127.0.0.1", self.listen)
        self.listen = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for end in tuple(self._ends):
            end.transport.abort()
        while self._ends:
            await asyncio.sleep(0.01)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            upstream_reader, upstream_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        ends = {writer, upstream_writer}
        self._ends |= ends
        upward = asyncio.create_task(self._pump(reader, upstream_writer, answers=False))
        try:
            await self._pump(upstream_reader, writer, answers=True)
        finally:
            for end in ends:
                end.transport.abort()
            await upward
            self._ends -= ends

    async def _pump(
        self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, answers: bool
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                # CommandComplete of COMMIT as PostgreSQL writes it on the wire.
                if answers and self.swallow_commits and b"COMMIT\0" in data:
                    self.swallow_commits -= 1
                    self.swallowed += 1
                    return
                sink.write(data)
                await sink.drain()
