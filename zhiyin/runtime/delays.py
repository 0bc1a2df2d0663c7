"""Delays as histograms that can be added up across instances."""

import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Final

from msgspec import Struct

from zhiyin.contracts.instants import Duration

# Buckets grow by 10 %, so a percentile is right to within 5 %.
_GROWTH: Final = 1.1
_PER_LOG: Final = 1 / math.log(_GROWTH)
_SLICE_SECONDS: Final = 30.0
_SLICES: Final = 4

Buckets = dict[int, int]


class Delay(Struct, frozen=True):
    """One named delay: bucket number → count, over the process's life and over two minutes.
    Bucket b holds delays in (1.1^(b-1), 1.1^b] microseconds."""

    total: Buckets
    recent: Buckets


class Delays:
    """Named delays of one process, in microseconds."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._total: dict[str, Buckets] = {}
        self._slices: deque[dict[str, Buckets]] = deque([{}], maxlen=_SLICES)
        self._slice_ends = monotonic() + _SLICE_SECONDS

    def record(self, name: str, delay: Duration) -> None:
        self.record_many(name, (delay,))

    def record_many(self, name: str, delays: Iterable[Duration]) -> None:
        """Negative delays (clocks disagree) count as zero."""
        self._turn()
        total = self._total.setdefault(name, {})
        recent = self._slices[-1].setdefault(name, {})
        for delay in delays:
            bucket = math.ceil(math.log(delay) * _PER_LOG) if delay > 1 else 0
            total[bucket] = total.get(bucket, 0) + 1
            recent[bucket] = recent.get(bucket, 0) + 1

    def snapshot(self) -> dict[str, Delay]:
        self._turn()
        return {
            name: Delay(dict(total), merge(part.get(name, {}) for part in self._slices))
            for name, total in self._total.items()
        }

    def _turn(self) -> None:
        late = self._monotonic() - self._slice_ends
        if late >= 0:
            passed = int(late // _SLICE_SECONDS) + 1
            self._slices.extend({} for _ in range(min(passed, _SLICES)))
            self._slice_ends += passed * _SLICE_SECONDS


def merge(histograms: Iterable[Mapping[int, int]]) -> Buckets:
    """The histogram of all values together."""
    merged: Buckets = {}
    for histogram in histograms:
        for bucket, count in histogram.items():
            merged[bucket] = merged.get(bucket, 0) + count
    return merged


def middle(bucket: int) -> Duration:
    """A delay (µs) that stands for all of a bucket."""
    return round(_GROWTH ** (bucket - 0.5)) if bucket > 0 else 0


def quantile(buckets: Mapping[int, int], q: float) -> Duration | None:
    """The delay (µs) that a share `q` of the values does not exceed; None when there are none."""
    wanted = math.ceil(sum(buckets.values()) * q)
    seen = 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= max(wanted, 1):
            return round(_GROWTH**bucket)
    return None
