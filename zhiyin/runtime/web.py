"""The HTTP side every service has: health, metrics, problems, dead letters, the internal guard."""

import os
import resource
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Final

import msgspec
import structlog
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from zhiyin.runtime.answers import json
from zhiyin.runtime.bodies import body, convert, field_error
from zhiyin.runtime.cursors import (
    Cursor,
    CursorInstant,
    CursorNumber,
    CursorText,
    Limit,
    Page,
    decode_cursor,
    encode_cursor,
)
from zhiyin.runtime.db import Database
from zhiyin.runtime.dead_letter_routes import dead_letter_routes
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.middleware import Failures, Guard, Tracing
from zhiyin.runtime.outages import OUTAGES
from zhiyin.runtime.problems import FieldError, Problem, response
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.worker import Worker

__all__ = [
    "Cursor",
    "CursorInstant",
    "CursorNumber",
    "CursorText",
    "Limit",
    "Page",
    "body",
    "convert",
    "decode_cursor",
    "encode_cursor",
    "field_error",
    "json",
    "service_app",
]

# Our own middleware makes the spans, and knows which paths hold a phone number.
_NO_SPANS: Final = {"telemetry": {"tracing": False, "metrics": False, "logs": False}}
_log = structlog.get_logger(__name__)
Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def service_app(
    settings: ServiceSettings,
    telemetry: Telemetry,
    *,
    database: Database | None = None,
    worker: Worker | None = None,
    routers: Sequence[APIRouter] = (),
    guarded: bool = True,
    lifespan: Lifespan | None = None,
    **options: Any,
) -> FastAPI:
    """The app of a service. `guarded` lets only the gateway call `/v1` and `/internal`; the
    gateway itself passes False. `options` go to FastAPI (title, docs_url, …)."""
    shown = {"docs_url": None, "redoc_url": None, "openapi_url": None} if guarded else {}
    app = FastAPI(
        **{"title": f"zhiyin {telemetry.service}", **_NO_SPANS, **shown, **options},
        lifespan=lifespan or _no_lifespan,
    )
    app.include_router(_health_routes(settings, telemetry, database, worker))
    if database is not None and worker is not None:
        app.include_router(dead_letter_routes(database))
    for router in routers:
        app.include_router(router)
    _answer_problems(app)
    app.add_middleware(Failures)
    if guarded:
        app.add_middleware(Guard, token=internal_token(settings.secret_key))
    app.add_middleware(Tracing, telemetry=telemetry)
    return app


@asynccontextmanager
async def _no_lifespan(_: FastAPI) -> AsyncIterator[None]:
    yield


def _health_routes(
    settings: ServiceSettings,
    telemetry: Telemetry,
    database: Database | None,
    worker: Worker | None,
) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    async def healthz() -> Response:
        return json({"status": "ok"})

    @router.get("/readyz")
    async def readyz() -> Response:
        waiting = await _waiting_for(database, worker)
        return json({"ready": not waiting, "waiting_for": waiting}, 503 if waiting else 200)

    @router.get("/metrics")
    async def metrics() -> Response:
        return Response(telemetry.exposition(), media_type="text/plain; version=0.0.4")

    @router.get("/internal/system")
    async def system() -> Response:
        status = msgspec.to_builtins(worker.status()) if worker is not None else {}
        return json(
            {
                "service": telemetry.service,
                "instance": settings.instance,
                "pid": os.getpid(),
                "memory_bytes": memory_bytes(),
                "delays": telemetry.delays.snapshot(),
                **status,
            }
        )

    return router


async def _waiting_for(database: Database | None, worker: Worker | None) -> list[str]:
    waiting = []
    if worker is not None and not worker.ready:
        waiting.append("partitions")
    if database is not None:
        try:
            await database.pool.fetchval("SELECT 1", timeout=2.0)
        except OUTAGES:
            waiting.append("postgres")
    return waiting


def memory_bytes() -> int:
    """Resident memory of this process; its peak where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * resource.getpagesize()
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def _answer_problems(app: FastAPI) -> None:
    @app.exception_handler(Problem)
    async def told(request: Request, problem: Problem) -> Response:
        return response(problem, request.url.path)

    @app.exception_handler(HTTPException)
    async def refused(request: Request, error: HTTPException) -> Response:
        problem = Problem(error.status_code, _code(error.status_code), str(error.detail))
        answer = response(problem, request.url.path)
        answer.headers.update(error.headers or {})
        return answer

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        errors = [
            FieldError("/" + "/".join(map(str, wrong["loc"])), wrong["type"], wrong["msg"])
            for wrong in error.errors()
        ]
        problem = Problem(422, "invalid", "the request is not valid", errors=errors)
        return response(problem, request.url.path)


def _code(status: int) -> str:
    codes = {401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}
    return codes.get(status, "request_failed")
