"""What a process tells about itself: traces, metrics, delays."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import Span, SpanKind
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from zhiyin.runtime.delay_metrics import DelayMetrics
from zhiyin.runtime.delays import Delays
from zhiyin.runtime.metrics import Metrics

TRACEPARENT: Final = "traceparent"
# Also how long a process whose collector is away takes longer to stop.
_EXPORT_SECONDS: Final = 3
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class Telemetry:
    """One per process. Without an exporter no spans are made: the header is only passed on."""

    def __init__(
        self,
        service: str,
        instance: str,
        *,
        otlp_endpoint: str | None = None,
        trace_ratio: float = 1.0,
    ) -> None:
        self.service = service
        self.instance = instance
        self.registry = CollectorRegistry()
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=self.registry)
        self.delays = Delays()
        self.registry.register(DelayMetrics(self.delays))
        self.metrics = Metrics(self.registry)
        self._provider = _provider(service, instance, trace_ratio) if otlp_endpoint else None
        self.tracer = (self._provider or trace.NoOpTracerProvider()).get_tracer("zhiyin")

    @property
    def tracing(self) -> bool:
        """Whether spans are made."""
        return self._provider is not None

    @contextmanager
    def span(
        self, name: str, traceparent: str | None = None, kind: SpanKind = SpanKind.INTERNAL
    ) -> Iterator[str | None]:
        """A span as child of `traceparent` (or of nothing); yields the `traceparent` to hand on:
        the span's own, or, when none is made, the one that came in."""
        if self._provider is None:
            yield traceparent
            return
        with self.tracer.start_as_current_span(name, context_of(traceparent), kind=kind) as span:
            yield traceparent_of(span)

    def start_span(self, name: str, traceparent: str, kind: SpanKind) -> Span:
        """A span to be ended by the caller; for many at once, such as the records of a batch."""
        return self.tracer.start_span(name, context_of(traceparent), kind=kind)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)

    def shutdown(self) -> None:
        """Send what is still queued."""
        if self._provider is not None:
            self._provider.shutdown()


def context_of(traceparent: str | None) -> Context | None:
    return _PROPAGATOR.extract({TRACEPARENT: traceparent}) if traceparent else None


def traceparent_of(span: Span) -> str:
    """The W3C header of a span."""
    context = span.get_span_context()
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"


def inject(
    headers: Sequence[tuple[str, bytes]], traceparent: str | None
) -> tuple[tuple[str, bytes], ...]:
    """A record's headers with this trace instead of the one they had."""
    rest = tuple(header for header in headers if header[0] != TRACEPARENT)
    return (*rest, (TRACEPARENT, traceparent.encode())) if traceparent else rest


def extract(headers: Sequence[tuple[str, bytes]]) -> str | None:
    """The `traceparent` of a record, if it has one."""
    for name, value in headers:
        if name == TRACEPARENT:
            return value.decode("ascii", "replace")
    return None


def _provider(service: str, instance: str, ratio: float) -> TracerProvider:
    resource = Resource.create(
        {"service.name": f"zhiyin-{service}", "service.instance.id": instance}
    )
    provider = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(ratio)))
    # The exporter reads OTEL_EXPORTER_OTLP_* itself, and so knows about headers and certificates.
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(timeout=_EXPORT_SECONDS)))
    return provider
