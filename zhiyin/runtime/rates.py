"""How much is done per second, over the last ten."""

import time
from collections.abc import Callable
from typing import Final

_SECONDS: Final = 10


class Rates:
    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._seconds: dict[str, dict[int, int]] = {}
        self._totals: dict[str, int] = {}

    def add(self, name: str, count: int) -> None:
        second = int(self._monotonic())
        counts = self._seconds.setdefault(name, {})
        if second not in counts:
            for old in [known for known in counts if known < second - _SECONDS]:
                del counts[old]
        counts[second] = counts.get(second, 0) + count
        self._totals[name] = self._totals.get(name, 0) + count

    def per_second(self) -> dict[str, float]:
        """Averages over the last ten whole seconds."""
        now = int(self._monotonic())
        return {
            name: sum(n for at, n in counts.items() if now - _SECONDS <= at < now) / _SECONDS
            for name, counts in self._seconds.items()
        }

    def total(self, name: str) -> int:
        return self._totals.get(name, 0)
