"""Where a test may kill this process: `ZHIYIN_FAULT=step:nth` ends it, as kill -9 would, the nth
time it comes to that step."""

import os
import signal
from collections.abc import Callable
from typing import Final

from zhiyin.runtime.env import SettingsError

STEPS: Final = (
    "gained",
    "after_fetch",
    "after_fence",
    "after_apply",
    "before_commit",
    "after_commit",
    "after_publish",
    "after_settle",
    "timers_claimed",
    "timers_fired",
    "timers_committed",
)

Fault = Callable[[str], None]


def no_fault(step: str) -> None:
    """The usual case."""


def fault_at(spec: str | None) -> Fault:
    """What to call at each step. Raises SettingsError for a step that does not exist."""
    if not spec:
        return no_fault
    name, _, nth = spec.partition(":")
    if name not in STEPS or not (nth or "1").isdecimal():
        raise SettingsError(f"ZHIYIN_FAULT must be step:nth, with a step of {', '.join(STEPS)}")
    left = int(nth or 1)

    def fault(step: str) -> None:
        nonlocal left
        if step == name:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    return fault
