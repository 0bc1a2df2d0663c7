"""(g) Backfill: one new segment over a population while news of people keeps coming.

One segmentation process. Time runs from the request that creates the segment until it is live;
delays are the service's own, of events that changed a segment meanwhile. Beside it, how long a
preview of the same rule takes, and an export page.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence

import asyncpg
import httpx

from bench.gateway_door import up
from bench.live_news import delays, milliseconds, news_of
from bench.population import RULES, Due, settle_down
from bench.report import Figure, show
from bench.segment_time import LIVE, log_of
from bench.segments_in_force import only_segments
from bench.servers import SECRET, Servers, servers
from zhiyin.contracts.instants import DAY
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.http import internal_token

RULE = {
    "all": [
        {"fact": "orders.total", "op": "gte", "value": "300"},
        {"last": {"event": "purchase.completed"}, "older_than": "30d"},
    ]
}


async def measure(machine: Servers, people: int) -> Sequence[Figure]:
    machine.run("segmentation", "migrate")
    db = await asyncpg.connect(machine.postgres.dsn)
    await only_segments(db, RULES)
    everybody = [Due(n, wall_clock() + DAY + n) for n in range(people)]
    await settle_down(db, everybody)
    await db.close()
    log = log_of(machine)
    await log.start()
    with machine.serving("segmentation") as (_, url):
        await up(url)
        headers = {"x-zhiyin-internal": internal_token(SECRET)}
        async with (
            httpx.AsyncClient(base_url=url, headers=headers, timeout=600) as client,
            news_of(log, everybody[-max(people // 10, 1) :], LIVE),
        ):
            await asyncio.sleep(10)
            before = await delays(url)
            seconds, members = await backfill(client)
            during = await delays(url, before)
            preview = (await client.post("/v1/segments/preview", json={"rule": RULE})).json()
    await log.stop()
    calm, busy = before.get("event_to_segment"), during.get("event_to_segment")
    return [
        Figure(f"one segment over {people:,} people, {LIVE} changes/s beside", seconds, "s"),
        Figure("  people a second", people / seconds, "/s"),
        Figure("  members found", members, ""),
        Figure("  event → segment before, p95", milliseconds(calm, 0.95), "ms"),
        Figure("  event → segment during, p95", milliseconds(busy, 0.95), "ms"),
        Figure("  event → segment during, p99", milliseconds(busy, 0.99), "ms"),
        Figure("preview of that rule", preview["took_ms"] / 1000, "s"),
        Figure("  people matching", preview["count"], ""),
    ]


async def backfill(client: httpx.AsyncClient) -> tuple[float, int]:
    """Seconds until it is live, and its members then."""
    started = time.perf_counter()
    body = {"key": "spent-and-gone", "name": "B", "rule": RULE}
    (await client.post("/v1/segments", json=body)).raise_for_status()
    while True:
        segment = (await client.get("/v1/segments/spent-and-gone")).json()
        if segment["status"] == "live":
            return time.perf_counter() - started, segment["count"]
        await asyncio.sleep(0.5)


def run(people: int = 1_000_000, *, kafka: bool = True) -> Sequence[Figure]:
    with servers(kafka=kafka) as machine:
        return asyncio.run(measure(machine, people))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.segment_backfill")
    parser.add_argument("--people", type=int, default=1_000_000)
    parser.add_argument("--embedded", action="store_true", help="the log in PostgreSQL")
    given = parser.parse_args()
    show("(g) backfill", run(given.people, kafka=not given.embedded))


if __name__ == "__main__":
    main()
