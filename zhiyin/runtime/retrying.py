"""Trying again, with waits that grow and differ, so that many workers do not come back at once."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import structlog

from zhiyin.runtime.outages import is_outage

T = TypeVar("T")
_FIRST: Final = 0.05
_LONGEST: Final = 2.0
_log = structlog.get_logger(__name__)


class Backoff:
    """Waits of about 0.05 s, 0.1 s, … up to 2 s."""

    def __init__(self) -> None:
        self._next = _FIRST

    async def wait(self) -> None:
        await asyncio.sleep(self._next * random.uniform(0.5, 1.0))
        self._next = min(self._next * 2, _LONGEST)


async def until_it_works(what: str, call: Callable[[], Awaitable[T]]) -> T:
    """The call's result, however many outages it takes. Other errors are raised."""
    backoff = Backoff()
    while True:
        try:
            return await call()
        except Exception as error:
            if not is_outage(error):
                raise
            _log.warning("trying again", what=what, error=repr(error))
        await backoff.wait()
