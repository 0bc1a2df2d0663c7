"""Delays as a Prometheus histogram, made of what `Delays` has counted when somebody asks."""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from zhiyin.contracts.instants import SECOND
from zhiyin.runtime.delays import Delays, middle

_NAME: Final = "zhiyin_delay_seconds"
_BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0)


class DelayMetrics(Collector):
    """Right to within 5 %, as are the delays."""

    def __init__(self, delays: Delays) -> None:
        self._delays = delays

    def describe(self) -> Iterator[Metric]:
        yield HistogramMetricFamily(_NAME, "End-to-end delays", labels=["delay"])

    def collect(self) -> Iterator[Metric]:
        family = HistogramMetricFamily(_NAME, "End-to-end delays", labels=["delay"])
        for name, delay in sorted(self._delays.snapshot().items()):
            family.add_metric([name], *_histogram(delay.total))
        yield family


def _histogram(counted: Mapping[int, int]) -> tuple[list[tuple[str, float]], float]:
    """Cumulative buckets, and the sum in seconds."""
    seconds = [(middle(bucket) / SECOND, count) for bucket, count in counted.items()]
    buckets = [
        (str(bound), float(sum(count for value, count in seconds if value <= bound)))
        for bound in _BOUNDS
    ]
    total = float(sum(counted.values()))
    return [*buckets, ("+Inf", total)], sum(value * count for value, count in seconds)
