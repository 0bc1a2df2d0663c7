"""Calls the gateway passes on to the service that owns them: one declared route each."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final, Protocol

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.auth import Caller
from services.gateway.people import Asking, Person
from services.gateway.stores.audit import Entry
from services.gateway.upstreams import Answer, Asked, Streamed
from zhiyin.runtime.log.interface import Headers
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.telemetry import TRACEPARENT
from zhiyin.runtime.web import convert

_PARAMETER: Final = re.compile(r"\{(\w+)\}")
_UNFIT: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_NUL_IN_QUERY: Final = re.compile(rb"%00")
_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})


class Query(Struct, frozen=True):
    """A query parameter, as documented."""

    name: str
    text: str
    schema: Mapping[str, Any] = MappingProxyType({"type": "string"})


LIMIT: Final = Query(
    "limit", "items a page has at most", {"type": "integer", "minimum": 1, "maximum": 500}
)
CURSOR: Final = Query("cursor", "`next_cursor` of the page before")
PAGE: Final = (LIMIT, CURSOR)


class PageAsked(Struct, frozen=True):
    """The page a caller wants of a list the gateway keeps itself."""

    limit: Annotated[int, Meta(ge=1, le=500)] = 100
    cursor: str | None = None


class Call(Struct, frozen=True, kw_only=True):
    """One endpoint: what it needs, who answers it, how it is documented.

    - `name`: what it is called in the audit trail and in OpenAPI
    - `body`, `answer`: msgspec types (a tuple of alternatives), None without one; `example` is
      the body's
    - `prepare`: turns the caller's body into what the service gets (tokens for phone and email)
    - `scope`: None for whoever has a key or a session; with `public` nobody needs either;
      `and_scope` is needed besides
    - `mask`: what becomes of the service's answer about a person, given their names
    - `or_status`: of the same answer where something was there already, or was not
    - `creates`: heeds `Idempotency-Key`, as does every forwarded POST that changes something
    - `streams`: a caller who accepts `application/x-ndjson` gets the answer line by line
    - `media`: media types of an answer that is not JSON
    """

    method: str
    path: str
    scope: str | None
    or_scope: str | None = None
    and_scope: str | None = None
    public: bool = False
    service: str
    name: str
    summary: str
    tag: str
    body: Any = None
    body_optional: bool = False
    example: Any = None
    answer: Any = None
    answer_example: Any = None
    status: int = 200
    or_status: int | None = None
    query: tuple[Query, ...] = ()
    prepare: str | None = None
    mask: Callable[[bytes, Sequence[str]], bytes] | None = None
    creates: bool = False
    changes: bool = True
    timeout: float = 15.0
    streams: bool = False
    media: tuple[str, ...] = ()

    @property
    def scopes(self) -> tuple[str, ...]:
        """Any of these will do."""
        return tuple(scope for scope in (self.scope, self.or_scope) if scope is not None)

    @property
    def once(self) -> bool:
        """Whether it heeds `Idempotency-Key`."""
        forwarded = self.service != "gateway"
        return self.creates or (forwarded and self.changing and self.method == "POST")

    @property
    def changing(self) -> bool:
        """Whether it is put on record."""
        return self.changes and self.method in _CHANGES


class Admits(Protocol):
    async def admit(self, request: Request, *scopes: str) -> Caller: ...


class Records(Protocol):
    async def record(self, entry: Entry) -> None: ...

    async def record_all(self, entries: Sequence[Entry]) -> None: ...


class Once(Protocol):
    async def once(
        self,
        request: Request,
        caller_id: str,
        body: bytes,
        do: Callable[[], Awaitable[Response]],
    ) -> Response: ...


class Asks(Protocol):
    async def ask(self, service: str, asked: Asked) -> Answer: ...

    async def stream(self, service: str, asked: Asked) -> Answer | Streamed: ...


class KnowsPeople(Protocol):
    async def current_id(self, profile_id: str, asking: Asking) -> str: ...

    async def stored_id(self, profile_id: str, asking: Asking) -> str: ...

    async def by_id(self, profile_id: str, asking: Asking) -> Person: ...


def asking_of(request: Request, caller: Caller) -> Asking:
    return Asking(caller.actor, request.scope.get("traceparent", ""), caller.brands)


def trace_of(request: Request) -> Headers:
    """Headers of what is written to the log: the trace a request belongs to, if any."""
    trace = request.scope.get("traceparent", "")
    return ((TRACEPARENT, trace.encode()),) if trace else ()


def handed_on(answer: Answer | Streamed) -> Response:
    """A stream as it comes, a refusal as it is."""
    if isinstance(answer, Answer):
        return passed_on(answer)
    return StreamingResponse(answer.chunks, media_type=answer.media_type)


def passed_on(answer: Answer) -> Response:
    headers = {"content-type": answer.media_type, **answer.headers}
    if answer.status == 204:
        headers.pop("content-type")
    return Response(answer.body, answer.status, headers=headers)


def page_asked(request: Request) -> PageAsked:
    """`limit` and `cursor` of the query. Raises Problem (422)."""
    fit(request)
    return convert(PageAsked, dict(request.query_params))


def fit(request: Request) -> Mapping[str, str]:
    """The path's parameters. Raises Problem (422) for what no service could look up."""
    for name, value in request.path_params.items():
        if _UNFIT.search(value) or len(value) > 512:
            raise Problem(422, "invalid_path", f"{name} in the path is not usable")
    query = request.scope["query_string"]
    if _NUL_IN_QUERY.search(query) or len(query) > 8192:
        raise Problem(422, "invalid_query", "the query is not usable")
    return request.path_params
