"""The only place that reads the wall clock; everything else takes `now` as an argument."""

import time
from collections.abc import Callable

from zhiyin.contracts.instants import Instant

Clock = Callable[[], Instant]


def wall_clock() -> Instant:
    """The instant now, in microseconds."""
    return time.time_ns() // 1000
