"""A TCP proxy before PostgreSQL that swallows the reply to a COMMIT and cuts the connection."""

import asyncio
from contextlib import suppress
from urllib.parse import urlsplit, urlunsplit


class CuttingProxy:
    """`commits_to_lose` says how many commits get no reply."""

    def __init__(self, dsn: str) -> None:
        self._target = urlsplit(dsn)
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.commits_to_lose = 0

    async def start(self) -> str:
        """The address to use instead."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        user, at, _ = self._target.netloc.rpartition("@")
        return urlunsplit(self._target._replace(netloc=f"{user}{at}127.0.0.1:{port}"))

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        back, forth = await asyncio.open_connection(self._target.hostname, self._target.port)
        deaf = asyncio.Event()
        copies = [
            asyncio.create_task(self._forward(reader, forth, deaf)),
            asyncio.create_task(_return(back, writer, deaf)),
        ]
        with suppress(ConnectionError):
            await asyncio.wait(copies, return_when=asyncio.FIRST_COMPLETED)
        for copy in copies:
            copy.cancel()
        await asyncio.gather(*copies, return_exceptions=True)
        for end in (forth, writer):
            end.close()

    async def _forward(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deaf: asyncio.Event
    ) -> None:
        while sent := await reader.read(65536):
            if b"COMMIT;" in sent and self.commits_to_lose > 0:
                self.commits_to_lose -= 1
                deaf.set()
            writer.write(sent)
            await writer.drain()


async def _return(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, deaf: asyncio.Event
) -> None:
    while received := await reader.read(65536):
        if deaf.is_set():
            return
        writer.write(received)
        await writer.drain()
