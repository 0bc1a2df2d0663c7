"""What was looked up lately: right to two seconds, good for a minute while PostgreSQL is away."""

import time
from collections.abc import Awaitable, Callable
from typing import Final, Generic, TypeVar

from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.problems import Problem

T = TypeVar("T")
# What is revoked or changed is so everywhere within this many seconds (the promise is 5).
_FRESH_SECONDS: Final = 2.0
# While PostgreSQL is away nobody can revoke anything either: what is known goes on for this long.
_STALE_SECONDS: Final = 60.0
_MOST_KEPT: Final = 10_000


class Fresh(Generic[T]):
    def __init__(
        self,
        find: Callable[[str], Awaitable[T | None]],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._find = find
        self._monotonic = monotonic
        self._kept: dict[str, tuple[T | None, float]] = {}

    async def get(self, wanted: str) -> T | None:
        """Raises Problem (503) when it cannot be known."""
        now = self._monotonic()
        kept = self._kept.get(wanted)
        if kept is not None and now - kept[1] < _FRESH_SECONDS:
            return kept[0]
        try:
            found = await self._find(wanted)
        except Exception as error:
            if not is_outage(error):
                raise
            if kept is not None and now - kept[1] < _STALE_SECONDS:
                return kept[0]
            raise Problem(
                503, "unavailable", "keys cannot be checked at the moment", retry_after=2
            ) from error
        if len(self._kept) >= _MOST_KEPT:
            self._kept.clear()
        self._kept[wanted] = (found, now)
        return found

    def forget(self, wanted: str) -> None:
        """Look it up again: it was changed here."""
        self._kept.pop(wanted, None)
