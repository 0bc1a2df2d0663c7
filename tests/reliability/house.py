"""A platform that lives through several faults, and what it has been told so far."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.reliability.platform import Platform, eventually, post
from tests.reliability.scenario import check_everything, drained
from tests.reliability.workload import generate, this_moment

_seeds = count(100)


@dataclass
class House:
    platform: Platform
    accepted: list[dict[str, Any]] = field(default_factory=list)
    pings: set[str] = field(default_factory=set)
    dead: int = 0

    async def post_some(self, events: int = 600, people: int = 60) -> None:
        """Some more life: new people each time, a few duplicates, a few broken events."""
        load = generate(events, people, seed=next(_seeds), now=this_moment())
        self.accepted += load.valid
        self.pings |= load.pings
        async with self.platform.client() as client:
            await post(client, load.stream, batch=40, lanes=2)

    async def post_during(self, fault: Awaitable[None], rounds: int = 3) -> None:
        """Life goes on while `fault` happens."""
        happening = asyncio.ensure_future(fault)
        for _ in range(rounds):
            await self.post_some(300, 40)
        await happening

    async def ended(self, name: str, patience: float = 60) -> None:
        worker = self.platform.workers[name]
        await eventually(lambda: not worker.alive, patience, f"{name} has ended")

    async def is_whole(self) -> None:
        """Everything is alive again, drained and true."""
        self.platform.revive()
        await self.platform.ready()
        await drained(self.platform)
        await check_everything(self.platform, self.accepted, self.pings, dead=self.dead)
