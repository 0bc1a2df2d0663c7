"""(d) All four services, one instance each, fed through the gateway at a steady pace; (e) their
memory at the end. On the embedded stack, and on a local Apache Kafka."""

import asyncio
import json
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import httpx

from bench.gateway_door import up
from bench.report import Figure
from bench.servers import SERVICES, Servers, memory_mib, servers
from bench.streams import events
from zhiyin.embedded.ports import free_port

TICK = 0.05
RATES = (500, 750, 1_000, 1_250, 1_500, 2_000, 2_500, 3_000)
TRIAL = 20.0
CONFIRM = 120.0
CALM = 300
PEOPLE = 20_000
# A lag of this many seconds of events, which does not grow, is batching and not falling behind.
SLACK = 2.0


def endless() -> Iterator[dict[str, Any]]:
    """Events as a storefront posts them, each dated when it is taken."""
    seed = time.time_ns() % 1_000_000
    while True:
        seed += 1
        for event in events(50_000, PEOPLE, seed):
            yield {
                "event_id": event.event_id,
                "type": event.type,
                "occurred_at": datetime.now(UTC).isoformat(),
                "customer": dict(event.customer),
                "properties": json.loads(bytes(event.properties)),
            }


class Shop:
    """Posts at a pace, a few events per tick in one request, and watches how far behind we are."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._stream = endless()
        self.refused = 0

    async def post(self, rate: float, seconds: float) -> None:
        """`rate` events per second for `seconds`, whether or not answers come in time."""
        started = time.perf_counter()
        sent, waiting = 0, set()
        while (passed := time.perf_counter() - started) < seconds:
            due = int(passed * rate) - sent
            if due:
                batch = [next(self._stream) for _ in range(min(due, 500))]
                sent += len(batch)
                task = asyncio.create_task(self._send(batch))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            await asyncio.sleep(TICK)
        if waiting:
            await asyncio.wait(waiting)

    async def _send(self, batch: list[dict[str, Any]]) -> None:
        answer = await self._client.post("/v1/events", json={"events": batch})
        if answer.status_code != 202:
            self.refused += 1

    async def system(self) -> dict[str, Any]:
        return dict((await self._client.get("/v1/system")).json())

    async def lag(self) -> int:
        """Records behind, summed over every consumer."""
        services = (await self.system())["services"].values()
        return sum(sum(service["lag"].values()) for service in services)

    async def keeps_up(self, rate: float, seconds: float) -> bool:
        """Whether the lag stays within the slack, second half no worse than the first."""
        refused = self.refused
        feeding = asyncio.create_task(self.post(rate, seconds))
        await asyncio.sleep(seconds / 2)
        half = await self.lag()
        await feeding
        end = await self.lag()
        return self.refused == refused and end <= max(half, rate * SLACK)

    async def rest(self) -> None:
        """Until nothing is left to do."""
        while await self.lag():
            await asyncio.sleep(0.2)


async def steady(shop: Shop) -> float:
    """The highest of `RATES` that is kept up in a short trial and then for two minutes."""
    best = 0
    for rate in RATES:
        if not await shop.keeps_up(rate, TRIAL):
            break
        best = rate
    await shop.rest()
    while best and not await shop.keeps_up(best, CONFIRM):
        await shop.rest()
        best = max((rate for rate in RATES if rate < best), default=0)
    await shop.rest()
    return best


async def measure(machine: Servers, label: str) -> Sequence[Figure]:
    for service in SERVICES:
        machine.run(service, "migrate")
    created = machine.run("gateway", "keys", "create", "--scopes", "admin", "--name", "bench")
    headers = {"authorization": f"Bearer {json.loads(created)['key']}"}
    with ExitStack() as stack:
        gateway = f"127.0.0.1:{free_port()}"
        urls = {"ZHIYIN_GATEWAY_URLS": f"http://{gateway}", "ZHIYIN_RATE_LIMIT": "1000000"}
        running = {}
        for service in SERVICES[:-1]:
            running[service], address = stack.enter_context(machine.serving(service, **urls))
            urls[f"ZHIYIN_{service.upper()}_URLS"] = address
            await up(address)
        urls["ZHIYIN_LISTEN"] = gateway
        running["gateway"], _ = stack.enter_context(machine.serving("gateway", **urls))
        await up(f"http://{gateway}")
        async with httpx.AsyncClient(
            base_url=f"http://{gateway}", headers=headers, timeout=60
        ) as client:
            shop = Shop(client)
            await shop.post(CALM, 30)  # caches fill, statistics are gathered
            await shop.post(CALM, 125)  # delays are of the last two minutes
            delays = (await shop.system())["delays"]
            highest = await steady(shop)
        used = {service: memory_mib(process) for service, process in running.items()}
    return [
        Figure(f"{label}: highest rate kept up for two minutes", highest, "events/s"),
        *(
            Figure(f"{label}: {name.replace('_', ' ')}, {which} at {CALM}/s", delay[key], "ms")
            for name, delay in sorted(delays.items())
            for which, key in (("p50", "p50_ms"), ("p99", "p99_ms"))
            if delay.get(key) is not None
        ),
        *(Figure(f"{label}: memory of {name}", mib, "MiB") for name, mib in used.items()),
    ]


def run() -> Sequence[Figure]:
    figures: list[Figure] = []
    for kafka, label in ((False, "embedded"), (True, "Apache Kafka")):
        with servers(kafka=kafka) as machine:
            figures += asyncio.run(measure(machine, label))
    return figures
