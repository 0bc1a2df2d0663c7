"""When a worker must not go on: it would lose or spoil data, silently."""

from collections import deque
from itertools import repeat


class Halted(Exception):
    """The worker has stopped for good; its text is one line for the operator."""


class Stuck(Exception):
    """Nothing moves although there is work: a restart may help."""


class HaltRule:
    """Halts when more than `ratio` of the last `window` records became dead letters, once at least
    `least` did: then the fault is ours, or the producer's, and setting records aside one by one
    would only hide it."""

    def __init__(self, window: int, least: int, ratio: float) -> None:
        self._dead: deque[bool] = deque(maxlen=window)
        self._least = least
        self._ratio = ratio

    def add(self, applied: int, dead: int) -> None:
        """Count a committed batch. Raises Halted."""
        self._dead.extend(repeat(False, applied))
        self._dead.extend(repeat(True, dead))
        total = sum(self._dead) if dead else 0
        if total >= self._least and total > self._ratio * len(self._dead):
            raise Halted(
                f"{total} of the last {len(self._dead)} records became dead letters; look at"
                " /v1/dead-letters, mend the cause, restart, and replay them"
            )
