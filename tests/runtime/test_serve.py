"""A service's process starts, says when it is ready, stops when told, and halts loudly."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import httpx

from tests.runtime.counting import Bench


@asynccontextmanager
async def serving(bench: Bench) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runtime.serving_process", bench.dsn, str(port)
    )
    try:
        yield process, f"http://127.0.0.1:{port}"
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until_ready(base: str) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(30):
        while True:
            try:
                if (await client.get(f"{base}/readyz")).status_code == 200:
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.05)


async def test_told_to_stop_it_finishes_and_leaves(bench: Bench) -> None:
    await bench.send("a", "b")
    async with serving(bench) as (process, base), asyncio.timeout(60):
        await until_ready(base)
        await bench.until_counted(2)
        process.terminate()
        assert await process.wait() == 0
    owned = "SELECT count(*) FROM log.lease WHERE owner IS NOT NULL"
    admin = await asyncpg.connect(bench.dsn)
    assert await admin.fetchval(owned) == 0
    assert await admin.fetchval("SELECT count(*) FROM counting.outbox") == 0
    await admin.close()


async def test_a_truncated_log_ends_it_with_exit_code_3(bench: Bench) -> None:
    await bench.send("a", "b")
    async with serving(bench) as (process, base), asyncio.timeout(60):
        await until_ready(base)
        await bench.until_counted(2)
        admin = await asyncpg.connect(bench.dsn)
        await admin.execute("TRUNCATE log.chunk; UPDATE log.head SET next = 0")
        await admin.close()
        assert await process.wait() == 3
