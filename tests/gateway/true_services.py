"""The true services, each a process, and a gateway before them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx

from services.gateway.settings import GatewaySettings
from tests.gateway.harness import SECRET, Running, running
from zhiyin.runtime.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
SERVICES = ("profile", "segmentation", "engagement")


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def processes(
    environment: dict[str, str], ports: dict[str, int], said: int | None
) -> Iterator[None]:
    """`said`: the file they write what they have to say to, None for ours."""
    started = [
        subprocess.Popen(
            [sys.executable, "-m", f"services.{name}.main", "serve"],
            cwd=ROOT,
            env={**environment, "ZHIYIN_LISTEN": f"127.0.0.1:{port}", "ZHIYIN_INSTANCE": name},
            stdout=said,
            stderr=said,
        )
        for name, port in ports.items()
    ]
    try:
        yield
    finally:
        for process in started:
            process.send_signal(signal.SIGTERM)
        for process in started:
            process.wait(20)


@asynccontextmanager
async def a_platform(
    database: str, redis: str, logs: Path | None = None, **settings: str
) -> AsyncIterator[Running]:
    """The services as processes, and a gateway before them in ours, with all it does beside.
    `logs`: a file for everything they have to say; `settings`: more for their environment."""
    ports = {name: a_free_port() for name in SERVICES}
    environment = {
        **os.environ,
        "ZHIYIN_POSTGRES": database,
        "ZHIYIN_REDIS": redis,
        "ZHIYIN_SECRET_KEY": SECRET,
        "ZHIYIN_PARTITIONS": "4",
        "ZHIYIN_LANES": "2",
        "ZHIYIN_LOG_LEVEL": "debug" if logs else "error",
        **settings,
    }
    await asyncio.gather(*(migrated(name, environment) for name in (*SERVICES, "gateway")))
    urls = {f"{name}_urls": (f"http://127.0.0.1:{port}",) for name, port in ports.items()}
    shared = ServiceSettings(
        postgres=database, redis=redis, secret_key=SECRET, partitions=4, **urls
    )
    with (
        (logs or Path(os.devnull)).open("ab") as said,
        processes(environment, ports, said.fileno() if logs else None),
    ):
        async with running(GatewaySettings(service=shared), stubbed=False) as gateway:
            await until_ready(ports)
            erasing = asyncio.create_task(gateway.gateway.erasures.run())
            yield gateway
            erasing.cancel()
            await asyncio.gather(erasing, return_exceptions=True)


async def migrated(service: str, environment: dict[str, str]) -> None:
    command = [sys.executable, "-m", f"services.{service}.main", "migrate"]
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=environment)
    assert await process.wait() == 0


async def until_ready(ports: dict[str, int]) -> None:
    async with httpx.AsyncClient() as client, asyncio.timeout(120):
        for port in ports.values():
            while True:
                try:
                    if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
