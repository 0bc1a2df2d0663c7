"""Structured logs: one JSON object per line on standard error."""

import logging
import sys
import time
from typing import Any

import msgspec
import structlog

from zhiyin.runtime.log_repeats import Repeats
from zhiyin.runtime.problems import current_trace


def configure_logs(service: str, instance: str, level: str = "info") -> None:
    """Call once, at the start of a process. The standard library's logs come out the same way."""
    threshold = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace,
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(serializer=_json)],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service, instance=instance)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(serializer=_json),
            ],
        )
    )
    handler.addFilter(Repeats(time.monotonic))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))


def _trace(_: Any, __: str, entry: dict[str, Any]) -> dict[str, Any]:
    trace = current_trace.get()
    if trace.strip("0"):
        entry.setdefault("trace_id", trace)
    return entry


def _json(entry: Any, **_: Any) -> str:
    return msgspec.json.encode(entry, enc_hook=repr).decode()
