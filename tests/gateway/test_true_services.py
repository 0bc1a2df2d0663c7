"""The gateway before the true services, each a process: from an event to the person's page."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from services.gateway.settings import GatewaySettings
from tests.gateway.harness import SECRET, Running, running
from tests.gateway.posted import a_purchase
from zhiyin.runtime.settings import ServiceSettings

ROOT = Path(__file__).parents[2]
SERVICES = ("profile", "segmentation", "engagement")


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def processes(environment: dict[str, str], ports: dict[str, int]) -> Iterator[None]:
    started = [
        subprocess.Popen(
            [sys.executable, "-m", f"services.{name}.main", "serve"],
            cwd=ROOT,
            env={**environment, "ZHIYIN_LISTEN": f"127.0.0.1:{port}", "ZHIYIN_INSTANCE": name},
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


@pytest.fixture
async def platform(fresh_database: str, fresh_redis: str) -> AsyncIterator[Running]:
    ports = {name: a_free_port() for name in SERVICES}
    environment = {
        **os.environ,
        "ZHIYIN_POSTGRES": fresh_database,
        "ZHIYIN_REDIS": fresh_redis,
        "ZHIYIN_SECRET_KEY": SECRET,
        "ZHIYIN_PARTITIONS": "4",
        "ZHIYIN_LANES": "2",
        "ZHIYIN_LOG_LEVEL": "error",
    }
    await asyncio.gather(*(migrated(name, environment) for name in (*SERVICES, "gateway")))
    urls = {f"{name}_urls": (f"http://127.0.0.1:{port}",) for name, port in ports.items()}
    shared = ServiceSettings(
        postgres=fresh_database, redis=fresh_redis, secret_key=SECRET, partitions=4, **urls
    )
    with processes(environment, ports):
        async with running(GatewaySettings(service=shared), stubbed=False) as gateway:
            await until_ready(ports)
            yield gateway


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


async def test_an_event_reaches_profile_segments_and_every_list(platform: Running) -> None:
    key = await platform.key("admin")

    async def ask(method: str, path: str, body: object = None) -> httpx.Response:
        return await platform.client.request(method, path, headers=key, json=body)

    async with asyncio.timeout(60):  # built-in segments are seeded and filled first
        while True:
            segments = (await ask("GET", "/v1/segments")).json()["items"]
            if segments and all(segment["status"] == "live" for segment in segments):
                break
            await asyncio.sleep(0.1)
    customer = {"member_id": "M1", "phone": "13800001111"}
    order = {"order_id": "O-1", "total": "20000"}
    posted = await ask("POST", "/v1/events", a_purchase(customer=customer, properties=order))
    receipt = posted.json()["receipt"]
    read = await ask("GET", f"/v1/profiles/by/phone/+8613800001111?after={receipt}")
    assert read.status_code == 200, read.text
    person = read.json()
    assert person["orders"]["total"] == "20000.00"
    assert "big-spender-10k" in person["segments"]
    assert person["identifiers"] == {"member_id": ["M1"], "phone": ["138****1111"]}
    profile_id = person["profile_id"]
    for noun in ("timeline", "segments", "actions", "coupons"):
        answer = await ask("GET", f"/v1/profiles/{profile_id}/{noun}?limit=5")
        assert answer.status_code == 200, answer.text
        assert "13800001111" not in answer.text
    for listing in ("segments", "tag-rules", "campaigns", "coupon-templates", "channels"):
        assert (await ask("GET", f"/v1/{listing}")).status_code == 200
    tagged = await ask("PUT", f"/v1/profiles/{profile_id}/tags/vip")
    assert tagged.status_code == 202
    after = await ask("GET", f"/v1/profiles/{profile_id}?after={tagged.json()['receipt']}")
    assert [tag["tag"] for tag in after.json()["tags"]] == ["vip"]
    system = (await ask("GET", "/v1/system")).json()
    assert set(system["services"]) == {"gateway", *SERVICES}
    assert system["delays"]["event_to_profile"]["total_count"] >= 1
    # Filling the built-in segments took a while, and that is not lateness.
    assert not [problem for problem in system["problems"] if "due_to_fired" in problem]
    letters = await ask("GET", "/v1/dead-letters")
    assert letters.json() == {"items": [], "next_cursor": None, "unavailable": []}
