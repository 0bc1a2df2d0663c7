"""Waiting until everything accepted has been applied everywhere."""

import asyncio
import time
from typing import Any, Final, Protocol

from rich.console import Console

from zhiyin.demo.errors import DemoError

_POLL_SECONDS: Final = 0.25
_STILL: Final = 3  # empty readings in a row: what one service has just finished is another's lag
_LINE_EVERY: Final = 5.0
PATIENCE_SECONDS: Final = 900.0


class Reader(Protocol):
    async def get(self, path: str, **params: str | int) -> Any: ...


async def drained(reader: Reader, console: Console, patience: float = PATIENCE_SECONDS) -> Any:
    """Returns /v1/system once nothing is left to do. Raises DemoError when something still is
    after `patience` seconds."""
    begun = told = time.monotonic()
    still = 0
    with console.status("waiting for the services to catch up") as status:
        while True:
            system = await reader.get("/v1/system")
            behind = lag(system)
            still = still + 1 if behind == 0 else 0
            if still == _STILL:
                return system
            now = time.monotonic()
            if now - begun > patience:
                raise DemoError(f"{behind:,} records still wait after {patience:.0f} s")
            status.update(f"waiting for the services to catch up: {behind:,} records behind")
            if not console.is_terminal and now - told > _LINE_EVERY:
                told = now
                console.print(f"catching up: {behind:,} records behind")
            await asyncio.sleep(_POLL_SECONDS)


def lag(system: Any) -> int:
    """Records not yet applied and messages not yet published, of all services."""
    services = system["services"].values()
    return sum(sum(service["lag"].values()) + service["outbox"] for service in services)
