"""An OpenTelemetry collector that keeps the spans it is sent, by trace."""

import asyncio
import gzip
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest


@dataclass(frozen=True)
class Span:
    """`parent` is empty for the first of a trace."""

    id: str
    parent: str
    service: str
    name: str


@dataclass
class Collector:
    port: int = 0
    spans: defaultdict[str, dict[str, Span]] = field(default_factory=lambda: defaultdict(dict))

    def way_to(self, traceparent: str) -> list[str]:
        """`service: name` of the span of this header and of its ancestors, the oldest first."""
        _, trace, span_id, _ = traceparent.split("-")
        found: list[str] = []
        while span := self.spans[trace].get(span_id):
            found.insert(0, f"{span.service}: {span.name}")
            span_id = span.parent
        return found

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower().split("\r\n")[1:]
                headers = dict(line.split(": ", 1) for line in head if line)
                body = await reader.readexactly(int(headers["content-length"]))
                self._keep(gzip.decompress(body) if "content-encoding" in headers else body)
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    def _keep(self, body: bytes) -> None:
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            (service,) = (
                each.value.string_value
                for each in resource.resource.attributes
                if each.key == "service.name"
            )
            for scope in resource.scope_spans:
                for span in scope.spans:
                    kept = Span(span.span_id.hex(), span.parent_span_id.hex(), service, span.name)
                    self.spans[span.trace_id.hex()][kept.id] = kept


@asynccontextmanager
async def a_collector() -> AsyncIterator[Collector]:
    collector = Collector()
    server = await asyncio.start_server(collector.serve, "127.0.0.1", 0)
    collector.port = server.sockets[0].getsockname()[1]
    async with server:
        yield collector
