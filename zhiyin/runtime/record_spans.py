"""Spans of the records of a batch, so that a trace leads through every service."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.trace import Span, SpanKind

from zhiyin.runtime.log import Record
from zhiyin.runtime.telemetry import Telemetry, extract, inject, traceparent_of


@contextmanager
def record_spans(telemetry: Telemetry, records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """The records, those that are part of a sampled trace with their own span as `traceparent`:
    whoever passes that header on continues the trace. Free when no spans are made."""
    if not telemetry.tracing:
        yield records
        return
    spans: list[Span] = []
    traced = [_traced(telemetry, record, spans) for record in records]
    try:
        yield traced
    finally:
        for span in spans:
            span.end()


def _traced(telemetry: Telemetry, record: Record, spans: list[Span]) -> Record:
    traceparent = extract(record.headers)
    if traceparent is None or not traceparent.endswith("-01"):
        return record
    span = telemetry.start_span(
        f"{telemetry.service} {record.topic}", traceparent, SpanKind.CONSUMER
    )
    spans.append(span)
    return record._replace(headers=inject(record.headers, traceparent_of(span)))
