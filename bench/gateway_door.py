"""(c) The gateway, one process: events taken in and profiles read, each with its p99.

The log is PostgreSQL, so an accepted event is on disk; reads come from the hot copy.
"""

import asyncio
import json
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import httpx

from bench.http_load import Load, drive, request_bytes
from bench.report import Figure
from bench.servers import Servers, memory_mib, servers
from bench.streams import events

BATCH = 100
PEOPLE = 2_000


def bodies(count: int, batch: int) -> list[bytes]:
    """Request bodies as a storefront posts them, dated now."""
    now = datetime.now(UTC).isoformat()
    made = [
        {
            "event_id": event.event_id,
            "type": event.type,
            "occurred_at": now,
            "customer": dict(event.customer),
            "properties": json.loads(bytes(event.properties)),
        }
        for event in events(count, PEOPLE)
    ]
    return [json.dumps({"events": made[at : at + batch]}).encode() for at in range(0, count, batch)]


async def take_in(url: str, key: str, count: int, batch: int, connections: int) -> Load:
    requests = [request_bytes(url, key, "/v1/events", body) for body in bodies(count, batch)]
    return await drive(url, requests.__getitem__, len(requests), connections)


async def read(url: str, key: str, requests: int, connections: int) -> Load:
    paths = [
        request_bytes(url, key, f"/v1/profiles/by/member_id/M{n}") for n in range(PEOPLE // 10)
    ]
    return await drive(url, lambda n: paths[n % len(paths)], requests, connections)


async def readable(url: str, key: str) -> None:
    """Wait until everybody who will be asked for is there."""
    deadline = time.monotonic() + 120
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}) as client:
        for number in range(PEOPLE // 10):
            path = f"{url}/v1/profiles/by/member_id/M{number}"
            while (await client.get(path)).status_code != 200:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"M{number} did not become readable")
                await asyncio.sleep(0.1)


async def up(url: str) -> None:
    async with httpx.AsyncClient() as client:
        for _ in range(300):
            try:
                if (await client.get(f"{url}/readyz")).status_code == 200:
                    return
            except httpx.HTTPError:
                pass
            await asyncio.sleep(0.1)
    raise RuntimeError(f"{url} did not become ready")


async def measure(machine: Servers) -> Sequence[Figure]:
    for service in ("profile", "segmentation", "gateway"):
        machine.run(service, "migrate")
    created = machine.run("gateway", "keys", "create", "--scopes", "admin", "--name", "bench")
    key = json.loads(created)["key"]
    with (
        machine.serving("profile") as (_, profile),
        machine.serving("segmentation") as (_, segmentation),
    ):
        urls = {"ZHIYIN_PROFILE_URLS": profile, "ZHIYIN_SEGMENTATION_URLS": segmentation}
        with machine.serving("gateway", **urls) as (gateway, url):
            await up(profile)
            await up(segmentation)
            await up(url)
            await take_in(url, key, 10_000, BATCH, 4)
            await readable(url, key)
            reads = await read(url, key, 20_000, 16)
            used = memory_mib(gateway)
    with machine.serving("gateway") as (_, url):
        await up(url)
        batches = await take_in(url, key, 60_000, BATCH, 8)
        singles = await take_in(url, key, 10_000, 1, 32)
    return figures(batches, singles, reads, used)


def figures(batches: Load, singles: Load, reads: Load, used: float) -> Sequence[Figure]:
    return [
        Figure(f"events taken in, batches of {BATCH}", batches.rate * BATCH, "events/s"),
        Figure("  p99 of such a request", batches.p99, "ms"),
        Figure("events taken in, one a request", singles.rate, "requests/s"),
        Figure("  p99 of such a request", singles.p99, "ms"),
        Figure("profiles read by identifier", reads.rate, "requests/s"),
        Figure("  p99 of such a request", reads.p99, "ms"),
        Figure("requests not answered 2xx", batches.refused + singles.refused + reads.refused, ""),
        Figure("memory of the gateway process", used, "MiB"),
    ]


def run() -> Sequence[Figure]:
    with servers(kafka=False) as machine:
        return asyncio.run(measure(machine))
