"""(c) The gateway, one process: events taken in and profiles read, each with its p99.

The log is PostgreSQL, so an accepted event is on disk; reads come from the hot copy. Profiles are
read of everybody in turn, and of the tenth of people with half of all events: a profile of theirs
lists some forty reorder dates.
"""

import asyncio
import json
import subprocess
import time
from collections.abc import Awaitable, Mapping, Sequence
from datetime import UTC, datetime

import httpx
from msgspec import Struct

from bench.http_load import Load, drive, request_bytes
from bench.report import Figure
from bench.servers import SECRET, Servers, cpu_seconds, memory_mib, servers
from bench.streams import events
from zhiyin.runtime.http import internal_token

BATCH = 100
PEOPLE = 2_000
KNOWN_EVENTS = 10_000


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


def members() -> list[str]:
    """Everybody with an event among the first ones, the busiest tenth of all people first."""
    found = {event.customer["member_id"] for event in events(KNOWN_EVENTS, PEOPLE)}
    return sorted(found, key=lambda member: int(member[1:]))


async def read(url: str, key: str, people: Sequence[str], requests: int, connections: int) -> Load:
    paths = [request_bytes(url, key, f"/v1/profiles/by/member_id/{member}") for member in people]
    return await drive(url, lambda n: paths[n % len(paths)], requests, connections)


def phone(member: str) -> str:
    """Everybody's own, as a storefront writes it."""
    return f"138{int(member[1:]):08}"


async def link_phones(url: str, key: str, people: Sequence[str]) -> None:
    now = datetime.now(UTC).isoformat()
    made = [
        {
            "event_id": f"link-{member}",
            "type": "customer.linked",
            "occurred_at": now,
            "customer": {"member_id": member, "phone": phone(member)},
        }
        for member in people
    ]
    bodies = [
        json.dumps({"events": made[at : at + BATCH]}).encode() for at in range(0, len(made), BATCH)
    ]
    requests = [request_bytes(url, key, "/v1/events", body) for body in bodies]
    await drive(url, requests.__getitem__, len(requests), 4)


async def read_by_phone(
    url: str, key: str, people: Sequence[str], requests: int, connections: int
) -> Load:
    """The gateway makes the token of the phone, then reads as by member id."""
    paths = [request_bytes(url, key, f"/v1/profiles/by/phone/{phone(each)}") for each in people]
    return await drive(url, lambda n: paths[n % len(paths)], requests, connections)


async def readable(url: str, key: str, people: Sequence[str]) -> None:
    """Wait until everybody who will be asked for is there."""
    deadline = time.monotonic() + 120
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {key}"}) as client:
        for member in people:
            path = f"{url}/v1/profiles/by/member_id/{member}"
            while (await client.get(path)).status_code != 200:
                if time.monotonic() > deadline:
                    raise RuntimeError(f"{member} did not become readable")
                await asyncio.sleep(0.1)


async def quiet(url: str) -> None:
    """Wait until a worker has nothing left to do, so that it takes no time from the gateway."""
    token = {"x-zhiyin-internal": internal_token(SECRET)}
    deadline = time.monotonic() + 120
    async with httpx.AsyncClient(headers=token) as client:
        while sum((await client.get(f"{url}/internal/system")).json()["lag"].values()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"{url} did not catch up")
            await asyncio.sleep(0.2)


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
            await take_in(url, key, KNOWN_EVENTS, BATCH, 4)
            people = members()
            await readable(url, key, people)
            await link_phones(url, key, people)
            await quiet(profile)
            await quiet(segmentation)
            first = await costing(gateway, read(url, key, people, len(people), 16))
            reads = await costing(gateway, read(url, key, people, 20_000, 16))
            phones = await costing(gateway, read_by_phone(url, key, people, 20_000, 16))
            busiest = await costing(gateway, read(url, key, people[: PEOPLE // 10], 10_000, 16))
            used = memory_mib(gateway)
    with machine.serving("gateway") as (gateway, url):
        await up(url)
        batches = await costing(gateway, take_in(url, key, 60_000, BATCH, 8))
        singles = await costing(gateway, take_in(url, key, 10_000, 1, 32))
    named = {
        "profiles read by identifier, each for the first time": first,
        "profiles read by identifier": reads,
        "profiles read by phone": phones,
        "profiles read of the busiest tenth": busiest,
        "events taken in, one a request": singles,
    }
    return figures(batches, named, used)


class Cost(Struct, frozen=True):
    """`micros`: processor time of the gateway per request, whatever else the machine did."""

    load: Load
    micros: float


async def costing(gateway: subprocess.Popen[bytes], load: Awaitable[Load]) -> Cost:
    before = cpu_seconds(gateway)
    done = await load
    return Cost(done, 1e6 * (cpu_seconds(gateway) - before) / done.requests)


def figures(batches: Cost, named: Mapping[str, Cost], used: float) -> Sequence[Figure]:
    refused = sum(cost.load.refused for cost in (batches, *named.values()))
    found = [
        Figure(f"events taken in, batches of {BATCH}", batches.load.rate * BATCH, "events/s"),
        *_details(batches),
    ]
    for what, cost in named.items():
        found += [Figure(what, cost.load.rate, "requests/s"), *_details(cost)]
    return [
        *found,
        Figure("requests not answered 2xx", refused, ""),
        Figure("memory of the gateway process", used, "MiB"),
    ]


def _details(cost: Cost) -> Sequence[Figure]:
    return [
        Figure("  p99 of such a request", cost.load.p99, "ms"),
        Figure("  processor time of the gateway", cost.micros, "µs"),
    ]


def run() -> Sequence[Figure]:
    with servers(kafka=False) as machine:
        return asyncio.run(measure(machine))
