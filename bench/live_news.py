"""News of people at a steady pace while something else goes on, and what delays came of it."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import httpx

from bench.population import Due, change_of, lives
from bench.servers import SECRET
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.delays import Buckets, quantile
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.log import EventLog

_TICK = 0.05


@asynccontextmanager
async def news_of(log: EventLog, people: Sequence[Due], rate: int) -> AsyncIterator[Counter[str]]:
    """`rate` changes a second, of these people in turn. What is yielded counts them."""
    told: Counter[str] = Counter()
    feeding = asyncio.create_task(_feed(log, people, rate, told))
    try:
        yield told
    finally:
        feeding.cancel()
        with suppress(asyncio.CancelledError):
            await feeding


async def _feed(log: EventLog, people: Sequence[Due], rate: int, told: Counter[str]) -> None:
    models = lives()
    started = time.perf_counter()
    while True:
        due = int((time.perf_counter() - started) * rate) - told["changes"]
        messages = []
        for number in range(told["changes"], told["changes"] + due):
            version = 2 + number // len(people)
            messages.append(change_of(people[number % len(people)], models, version, wall_clock()))
        if messages:
            await log.append(messages)
            told["changes"] += len(messages)
        await asyncio.sleep(_TICK)


async def delays(url: str, earlier: dict[str, Buckets] | None = None) -> dict[str, Buckets]:
    """The delays a service has seen, less those it had seen `earlier`."""
    token = {"x-zhiyin-internal": internal_token(SECRET)}
    async with httpx.AsyncClient(headers=token, timeout=60) as client:
        document = (await client.get(f"{url}/internal/system")).json()
    found: dict[str, Buckets] = {}
    for name, delay in document["delays"].items():
        before = (earlier or {}).get(name, {})
        total = {int(bucket): count for bucket, count in delay["total"].items()}
        found[name] = {b: count - before.get(b, 0) for b, count in total.items()}
    return found


def milliseconds(buckets: Buckets | None, q: float) -> float:
    """A quantile; NaN if nothing was seen."""
    found = quantile(buckets or {}, q)
    return float("nan") if found is None else found / 1000
