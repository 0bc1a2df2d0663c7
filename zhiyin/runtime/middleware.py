"""ASGI layers around every service's app. Pure ASGI: nothing in them outlives a request."""

import hmac
import re
import secrets
import time
from typing import Final

import structlog
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.problems import Problem, current_trace, response
from zhiyin.runtime.telemetry import TRACEPARENT, Telemetry

_TRACEPARENT: Final = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_GUARDED: Final = ("/v1/", "/internal/")
_log = structlog.get_logger(__name__)


class Tracing:
    """Joins the caller's trace, or starts one; `scope["traceparent"]` is what to hand on."""

    def __init__(self, app: ASGIApp, telemetry: Telemetry) -> None:
        self._app = app
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(TRACEPARENT, "")
        parent = given if _TRACEPARENT.fullmatch(given) else None
        started = time.perf_counter()
        name = f"{scope['method']} {scope['path']}"
        with self._telemetry.span(name, parent, SpanKind.SERVER) as made:
            traceparent = made or f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"
            scope["traceparent"] = traceparent
            current = current_trace.set(traceparent[3:35])

            async def send_traced(message: Message) -> None:
                if message["type"] == "http.response.start":
                    MutableHeaders(scope=message)["x-trace-id"] = traceparent[3:35]
                    self._observe(scope["method"], message["status"], started)
                await send(message)

            try:
                await self._app(scope, receive, send_traced)
            finally:
                current_trace.reset(current)

    def _observe(self, method: str, status: int, started: float) -> None:
        seconds = time.perf_counter() - started
        self._telemetry.metrics.http.labels(method, str(status)).observe(seconds)


class Failures:
    """Answers for what nobody caught: 503 if a server is away, else 500. Stands inside `Tracing`,
    so that the answer, the logs and the metrics know of which request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:
            if scope["type"] != "http" or begun:
                raise
            await response(_failure(scope["path"], error), scope["path"])(scope, receive, send)


def _failure(path: str, error: Exception) -> Problem:
    if is_outage(error):
        _log.warning("outage", path=path, error=repr(error))
        return Problem(503, "unavailable", "try again shortly", retry_after=1)
    _log.error("unexpected", path=path, exc_info=error)
    return Problem(500, "internal", "an unexpected error; its trace_id is in our logs")


class Guard:
    """Lets only our own services in: `/v1` and `/internal` need the internal token."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(_GUARDED):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("x-zhiyin-internal", "")
        if hmac.compare_digest(given.encode(), self._token.encode()):
            await self._app(scope, receive, send)
            return
        refusal = Problem(401, "internal_only", "this address answers only the gateway")
        await response(refusal, scope["path"])(scope, receive, send)
