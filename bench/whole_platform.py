"""(d) All four services, one instance each, fed through the gateway at a steady pace; (e) their
memory at the end. On the embedded stack, and on a local Apache Kafka.

The highest rate is looked for from what the platform gets through when far too much is posted: the
first rate below that which is kept up for two minutes, each trial ending early once it falls
behind. Everything is bounded: about five minutes per log, seven at most.
"""

import asyncio
import json
import os
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from statistics import quantiles
from typing import Final

import asyncpg
import httpx
from msgspec import Struct

from bench.gateway_door import up
from bench.live_news import delays, milliseconds
from bench.processor_time import ProcessorTime
from bench.report import Figure, say
from bench.servers import SERVICES, Servers, memory_mib, servers
from bench.shop import Shop, Watch
from bench.webhooks import Posted, call_after_views, call_no_more, receiving
from zhiyin.embedded.ports import free_port
from zhiyin.runtime.delays import Buckets

CALM: Final = 300
WARM: Final = 10.0
LOOK: Final = 40.0
FLOOD: Final = 4_000
FLOOD_SECONDS: Final = 5.0
KEEP_UP: Final = 120.0
STEP: Final = 0.85
DRAIN: Final = 30.0
# Time for looking for the highest rate; a trial begins only if it can end within that.
SEARCH: Final = 260.0
# A lag of this many seconds of events, which does not grow, is batching and not falling behind.
SLACK: Final = 2.0
BEHIND: Final = 4.0


class Running(Struct, frozen=True):
    """The platform under measurement. `client`: of its API; `urls`: of the workers' own HTTP
    sides."""

    client: httpx.AsyncClient
    shop: Shop
    watch: Watch
    used: ProcessorTime
    urls: Sequence[str]


async def keeps_up(on: Running, rate: float, seconds: float) -> bool:
    """Whether the lag stays within the slack, second half no worse than the first; ends early
    when it is far behind."""
    refused, half = on.shop.refused, 0
    feeding = asyncio.create_task(on.shop.post(rate, seconds))
    started = time.perf_counter()
    try:
        while (passed := time.perf_counter() - started) < seconds:
            await asyncio.sleep(min(5.0, seconds / 4))
            lag = await on.watch.lag()
            half = max(half, lag) if passed < seconds / 2 else half
            if lag > rate * BEHIND or on.shop.refused > refused:
                return False
        await feeding
    finally:
        feeding.cancel()
    return await on.watch.lag() <= max(half, rate * SLACK)


async def throughput(on: Running) -> float:
    """Events per second that it gets through when there is no end of them."""
    sent, started = on.shop.sent, time.perf_counter()
    await on.shop.post(FLOOD, FLOOD_SECONDS)
    await on.watch.rest(DRAIN)
    return (on.shop.sent - sent) / (time.perf_counter() - started)


async def highest(on: Running, start: float) -> float:
    """The highest rate found that is kept up for two minutes; 0 if time ran out before."""
    rate, ends = start * STEP, time.perf_counter() + SEARCH
    while time.perf_counter() + KEEP_UP < ends:
        rate = max(50.0, rate // 50 * 50)
        say(f"two minutes at {rate:.0f} events/s")
        if await keeps_up(on, rate, KEEP_UP):
            return rate
        await on.watch.rest(DRAIN)
        rate *= STEP
    return 0.0


async def all_delays(urls: Sequence[str], since: dict[str, Buckets]) -> dict[str, Buckets]:
    found: dict[str, Buckets] = {}
    for url in urls:
        found |= await delays(url, since)
    return found


async def measure(on: Running, label: str) -> list[Figure]:
    say(f"{label}: {CALM} events/s")
    await on.shop.post(CALM, WARM)  # caches fill, statistics are gathered
    since, used = await all_delays(on.urls, {}), await on.used.read()
    sent = on.shop.sent
    await on.shop.post(CALM, LOOK)
    calm = await on.used.read() - used
    heard, per = await all_delays(on.urls, since), on.shop.sent - sent
    await on.watch.rest(DRAIN)
    say(f"{label}: {CALM} events/s, webhooks called")
    called = await webhooks(on)
    used, sent = await on.used.read(), on.shop.sent
    say(f"{label}: as many events as it gets through")
    most = await throughput(on)
    flooded, flood = await on.used.read() - used, on.shop.sent - sent
    best = await highest(on, most)
    return [
        Figure(f"{label}: highest rate kept up for two minutes", best, "events/s"),
        Figure(f"{label}: got through when {FLOOD}/s were posted", most, "events/s"),
        *(
            Figure(f"{label}: {name.replace('_', ' ')}, p{q * 100:.0f} at {CALM}/s", ms, "ms")
            for name in sorted(heard)
            for q in (0.5, 0.99)
            if (ms := milliseconds(heard[name], q)) == ms  # not NaN: nothing was seen
        ),
        Figure(f"{label}: webhooks received a second", len(called) / LOOK, "/s"),
        *(
            Figure(f"{label}: event → webhook received, p{place + 1}", cut * 1000, "ms")
            for place, cut in enumerate(quantiles(called, n=100))
            if place in (49, 98)
        ),
        *_times(f"{label}: processor at {CALM}/s", calm, per),
        *_times(f"{label}: processor when flooded", flooded, flood),
    ]


async def webhooks(on: Running) -> list[float]:
    """Seconds from posting an event until the webhook it led to has come, of a look's events."""
    posted = Posted()
    async with receiving(posted) as url:
        await call_after_views(on.client, url)
        await on.shop.post(CALM, WARM)
        on.shop.posted = posted
        await on.shop.post(CALM, LOOK)
        on.shop.posted = None
        await on.watch.rest(DRAIN)
        await call_no_more(on.client)
    return posted.took


def _times(label: str, microseconds: Counter[str], events: int) -> list[Figure]:
    """µs per event by process, and of all together but the client."""
    each = [
        Figure(f"{label}, {name}", used / events, "µs/event")
        for name, used in microseconds.most_common()
        if used >= events
    ]
    whole = sum(used for name, used in microseconds.items() if name != "the client")
    return [Figure(f"{label}, platform and servers", whole / events, "µs/event"), *each]


async def platform(machine: Servers, label: str) -> list[Figure]:
    for service in SERVICES:
        machine.run(service, "migrate")
    created = machine.run("gateway", "keys", "create", "--scopes", "admin", "--name", "bench")
    key = json.loads(created)["key"]
    with ExitStack() as stack:
        gateway = f"127.0.0.1:{free_port()}"
        told = {
            "ZHIYIN_GATEWAY_URLS": f"http://{gateway}",
            "ZHIYIN_RATE_LIMIT": "1000000",
            "ZHIYIN_WEBHOOK_ALLOW": "127.0.0.1",
        }
        running, urls = {}, []
        for service in SERVICES[:-1]:
            running[service], address = stack.enter_context(machine.serving(service, **told))
            told[f"ZHIYIN_{service.upper()}_URLS"] = address
            urls.append(address)
            await up(address)
        told["ZHIYIN_LISTEN"] = gateway
        running["gateway"], _ = stack.enter_context(machine.serving("gateway", **told))
        await up(f"http://{gateway}")
        db = await asyncpg.connect(machine.postgres.dsn)
        pids = {name: process.pid for name, process in running.items()}
        used = ProcessorTime(pids | _servers(machine), machine.postgres.pid or 0, db)
        shop = Shop(f"http://{gateway}", key)
        headers = {"authorization": f"Bearer {key}"}
        async with httpx.AsyncClient(
            base_url=f"http://{gateway}", headers=headers, timeout=60
        ) as client:
            figures = await measure(Running(client, shop, Watch(client), used, urls), label)
        memory = {name: memory_mib(process) for name, process in running.items()}
        shop.close()
        await db.close()
    return [
        *figures,
        *(Figure(f"{label}: memory of {name}", mib, "MiB") for name, mib in memory.items()),
    ]


def _servers(machine: Servers) -> dict[str, int]:
    there = {"Valkey": machine.valkey.pid, "the client": os.getpid()}
    if machine.kafka is not None:
        there["Apache Kafka"] = machine.kafka.pid
    return {name: pid for name, pid in there.items() if pid is not None}


def run() -> Sequence[Figure]:
    figures: list[Figure] = []
    for kafka, label in ((False, "embedded"), (True, "Apache Kafka")):
        with servers(kafka=kafka) as machine:
            figures += asyncio.run(platform(machine, label))
    return figures
