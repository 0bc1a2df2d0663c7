"""A webhook receiver in its own process: it writes each request's id down before it answers."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any


async def _serve(port: int, ledger: Path) -> None:
    with ledger.open("a", buffering=1) as lines:

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
                while head := await reader.readuntil(b"\r\n\r\n"):
                    headers = {
                        name.strip().lower(): value.strip()
                        for name, _, value in (
                            line.partition(":") for line in head.decode().split("\r\n")[1:]
                        )
                    }
                    body = await reader.readexactly(int(headers.get("content-length", 0)))
                    lines.write(
                        json.dumps(
                            {
                                "id": headers.get("webhook-id"),
                                "traceparent": headers.get("traceparent"),
                                "body": json.loads(body),
                            }
                        )
                        + "\n"
                    )
                    writer.write(b"HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n")
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", port)
        async with server:
            await server.serve_forever()


def received(ledger: Path) -> list[dict[str, Any]]:
    """Every request that reached the receiver, in order."""
    if not ledger.exists():
        return []
    return [json.loads(line) for line in ledger.read_text().splitlines()]


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), Path(sys.argv[2])))
