"""When to try again, and after how long (pure)."""

from collections.abc import Callable
from typing import Final

from msgspec import Struct

_TOO_MANY: Final = 429
_AGAIN: Final = frozenset({_TOO_MANY, 502, 503, 504})


class Retrying(Struct, frozen=True):
    """`attempts` in all; waits double from `first` to `longest` seconds, each shortened by chance
    so that clients do not come back together. What the platform asks for is waited in full, up to
    `patience`."""

    attempts: int = 5
    first: float = 0.2
    longest: float = 10.0
    patience: float = 60.0

    def wait(
        self,
        attempt: int,
        again: bool,
        status: int | None,
        retry_after: int | None,
        chance: Callable[[], float],
    ) -> float | None:
        """Seconds before the next attempt after `attempt` (from 1) ended with `status`, or without
        an answer (None); None: do not try again. `again`: whether it may be done twice; refused
        for coming too often, it was not done at all. `chance`: from 0 to 1."""
        worth = status is None or status in _AGAIN
        if attempt >= self.attempts or not worth or not (again or status == _TOO_MANY):
            return None
        most = min(self.longest, self.first * 2.0 ** (attempt - 1))
        jittered = most * (0.5 + chance() / 2)
        if retry_after is None:
            return jittered
        return None if retry_after > self.patience else retry_after + jittered - most / 2


def seconds(header: str | None) -> int | None:
    """`Retry-After` as the platform writes it, in whole seconds."""
    return int(header) if header is not None and header.isascii() and header.isdigit() else None
