"""Ends a process that no longer gets on, so that its supervisor starts a fresh one."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from zhiyin.runtime.halting import Stuck

_CHECK: Final = 1.0
_EXIT_CODE: Final = 70
_log = structlog.get_logger(__name__)


def check_progress(progress: Sequence[tuple[float, int]], now: float, patience: float) -> None:
    """`progress` holds, per lane, when it last got on and how much it has yet to do. Raises
    Stuck when one has work and has not got on for `patience` seconds."""
    for lane, (at, lag) in enumerate(progress):
        if lag > 0 and now - at > patience:
            raise Stuck(f"lane {lane} has {lag} records to do and no progress for {now - at:.0f} s")


class LoopWatch:
    """A thread that ends the process when the event loop does not turn for `patience` seconds.
    Time during which the whole process was stopped does not count."""

    def __init__(self, patience: float, end: Callable[[int], None] = os._exit) -> None:
        self._patience = patience
        self._end = end
        self._turned = 0
        self._stopped = threading.Event()

    async def run(self) -> None:
        threading.Thread(target=self._watch, name="loop-watch", daemon=True).start()
        try:
            while True:
                self._turned += 1
                await asyncio.sleep(_CHECK)
        finally:
            self._stopped.set()

    def _watch(self) -> None:
        seen, idle, checked = self._turned, 0.0, time.monotonic()
        while not self._stopped.wait(_CHECK):
            now = time.monotonic()
            elapsed, checked = min(now - checked, 2 * _CHECK), now
            idle = 0.0 if self._turned != seen else idle + elapsed
            seen = self._turned
            if idle > self._patience:
                _log.error("the event loop stands still", seconds=round(idle))
                self._end(_EXIT_CODE)
                return
