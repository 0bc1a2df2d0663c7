"""The metrics every service has, by name."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_SIZES = (1, 5, 10, 25, 50, 100, 250, 500, 1000, 2500)
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """All times in seconds, as Prometheus wants them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, text: str, *labels: str) -> Counter:
            return Counter(f"zhiyin_{name}", text, labels, registry=registry)

        def gauge(name: str, text: str, *labels: str) -> Gauge:
            return Gauge(f"zhiyin_{name}", text, labels, registry=registry)

        def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"zhiyin_{name}", text, labels, buckets=buckets, registry=registry)

        self.records = counter("records", "Records applied", "topic")
        self.lag = gauge("lag_records", "Records not yet applied", "topic", "partition")
        self.batch_records = histogram("batch_records", "Records per batch", _SIZES)
        self.batch_seconds = histogram("batch_seconds", "Fence to commit", _SECONDS)
        self.retries = counter("batch_retries", "Batches tried again", "error")
        self.fenced = counter("batches_fenced", "Batches dropped: the partition had moved on")
        self.dead_letters = counter("dead_letters", "Records set aside", "topic", "code")
        self.outbox = gauge("outbox_batches", "Committed but not yet published")
        self.published = counter("published", "Messages published", "topic")
        self.timers = counter("timers_fired", "Timers fired", "kind")
        self.owned = gauge("owned_partitions", "Partition numbers this process holds")
        self.http = histogram("http_seconds", "Requests answered", _SECONDS, "method", "status")
