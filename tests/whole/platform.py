"""The four services as processes on one database, and a client of the gateway."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.gateway.posted import a_purchase
from zhiyin.embedded.ports import free_port

ROOT = Path(__file__).parents[2]
SERVICES = ("profile", "segmentation", "engagement", "gateway")
PARTITIONS = 4


@dataclass(frozen=True)
class Platform:
    """`settings` are those of its processes; `logs` is where each writes to `<service>.log`."""

    client: httpx.AsyncClient
    port: int
    logs: Path
    settings: Mapping[str, str]
    processes: dict[str, Process]

    async def kill_gateway(self) -> None:
        self.processes["gateway"].kill()
        await self.processes["gateway"].wait()

    async def start_gateway(self) -> None:
        """Again, once it has been killed; returns when it is ready."""
        started = await _serving("gateway", dict(self.settings), self.port, self.logs)
        self.processes["gateway"] = started
        await _until_ready({"gateway": self.port})

    async def ask(self, method: str, path: str, body: object = None, **more: Any) -> httpx.Response:
        return await self.client.request(method, path, json=body, **more)

    async def until_live(self) -> None:
        """Until the built-in segments are seeded and filled."""
        async with asyncio.timeout(120):
            while True:
                segments = (await self.ask("GET", "/v1/segments")).json()["items"]
                if segments and all(segment["status"] == "live" for segment in segments):
                    return
                await asyncio.sleep(0.1)

    async def a_person(self, member_id: str, **changes: Any) -> dict[str, Any]:
        """The profile of somebody who has just bought something."""
        posted = await self.ask("POST", "/v1/events", a_purchase(member_id, **changes))
        assert posted.status_code == 202, posted.text
        receipt = posted.json()["receipt"]
        read = await self.ask("GET", f"/v1/profiles/by/member_id/{member_id}?after={receipt}")
        assert read.status_code == 200, read.text
        return dict(read.json())

    def errors(self) -> list[str]:
        """What the processes have logged as an error, or as a traceback."""
        lines = [
            line
            for service in SERVICES
            for line in (self.logs / f"{service}.log").read_text().splitlines()
        ]
        return [line for line in lines if '"level":"error"' in line or "Traceback" in line]


@asynccontextmanager
async def a_platform(postgres: str, redis: str, logs: Path, **more: str) -> AsyncIterator[Platform]:
    """Migrated, started and ready; stopped at the end. `more` are further settings."""
    ports = {service: free_port() for service in SERVICES}
    settings = {
        "PATH": os.environ["PATH"],
        "ZHIYIN_POSTGRES": postgres,
        "ZHIYIN_REDIS": redis,
        "ZHIYIN_SECRET_KEY": "a secret of the tests, long enough",
        "ZHIYIN_PARTITIONS": str(PARTITIONS),
        "ZHIYIN_LANES": "2",
        "ZHIYIN_LOG_LEVEL": "warning",
        "ZHIYIN_WEBHOOK_ALLOW": "127.0.0.1",
        **{
            f"ZHIYIN_{service.upper()}_URLS": f"http://127.0.0.1:{port}"
            for service, port in ports.items()
        },
        **more,
    }
    await asyncio.gather(*(_output(service, settings, "migrate") for service in SERVICES))
    made = await _output("gateway", settings, "keys", "create", "--scopes", "admin")
    key = json.loads(made)["key"]
    started = {each: await _serving(each, settings, ports[each], logs) for each in SERVICES}
    try:
        await _until_ready(ports)
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{ports['gateway']}",
            headers={"authorization": f"Bearer {key}"},
            timeout=30,
            trust_env=False,
        ) as client:
            yield Platform(client, ports["gateway"], logs, settings, started)
    finally:
        for process in started.values():
            process.terminate()
        for process in started.values():
            await asyncio.wait_for(process.wait(), 30)


async def _serving(service: str, settings: dict[str, str], port: int, logs: Path) -> Process:
    environment = {
        **settings,
        "ZHIYIN_INSTANCE": f"{service}-1",
        "ZHIYIN_LISTEN": f"127.0.0.1:{port}",
    }
    with (logs / f"{service}.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", f"services.{service}.main", "serve"),
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=STDOUT,
        )


async def _output(service: str, settings: dict[str, str], *words: str) -> bytes:
    """What a command that succeeds prints."""
    command = (sys.executable, "-m", f"services.{service}.main", *words)
    process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, env=settings, stdout=PIPE)
    output, _ = await process.communicate()
    assert process.returncode == 0
    return output


async def _until_ready(ports: dict[str, int]) -> None:
    async with httpx.AsyncClient(trust_env=False) as client, asyncio.timeout(120):
        for port in ports.values():
            while True:
                try:
                    if (await client.get(f"http://127.0.0.1:{port}/readyz")).status_code == 200:
                        break
                except httpx.TransportError:
                    pass
                await asyncio.sleep(0.1)
