"""(n) The gateway under bodies that want its memory: gzip bombs, and many of 5 MB at once."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Sequence

import httpx

from bench.gateway_door import up
from bench.report import Figure
from bench.servers import Servers, memory_mib, servers

AT_ONCE = 64
_LARGE = 5 * 1024 * 1024 - 1000


def large() -> bytes:
    """A body of nearly 5 MB that is one event with very much in it."""
    return b'{"events": [{"event_id": "x", "properties": {"text": "' + b"x" * _LARGE + b'"}}]}'


def bomb() -> bytes:
    """A gigabyte of spaces."""
    return gzip.compress(b'{"events": [' + b" " * 2**30)


async def measure(machine: Servers) -> Sequence[Figure]:
    machine.run("gateway", "migrate")
    created = machine.run("gateway", "keys", "create", "--scopes", "admin", "--name", "bench")
    key = {"authorization": "Bearer " + json.loads(created)["key"]}
    with machine.serving("gateway") as (gateway, url):
        await up(url)
        limits = httpx.Limits(max_connections=2 * AT_ONCE)
        async with httpx.AsyncClient(timeout=120, limits=limits) as client:

            async def post(body: bytes, encoding: str) -> int:
                headers = {**key, "content-encoding": encoding}
                return (
                    await client.post(f"{url}/v1/events", headers=headers, content=body)
                ).status_code

            before, most, statuses = memory_mib(gateway), 0.0, Counter[int]()
            for body, encoding in ((bomb(), "gzip"), (large(), "identity")):
                asked = [asyncio.create_task(post(body, encoding)) for _ in range(AT_ONCE)]
                while not all(one.done() for one in asked):
                    most = max(most, memory_mib(gateway))
                    await asyncio.sleep(0.02)
                statuses.update(one.result() for one in asked)
    return [
        Figure("memory before", before, "MiB"),
        Figure(f"most with {AT_ONCE} bombs, then {AT_ONCE} bodies of 5 MB at once", most, "MiB"),
        *[Figure(f"  answered {status}", count, "") for status, count in sorted(statuses.items())],
    ]


def run() -> Sequence[Figure]:
    with servers(kafka=False) as machine:
        return asyncio.run(measure(machine))
