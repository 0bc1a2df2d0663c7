"""What comes without a key: providers calling back under a signature of their own, and people who
follow a link we sent them. Engagement knows the signatures and the links."""

from collections.abc import Iterator
from functools import partial
from typing import Final, Protocol, get_args
from urllib.parse import parse_qsl, quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from services.gateway.bodies import read_bytes
from services.gateway.calls import Asks, fit, passed_on
from services.gateway.domain.personal import without_personal
from services.gateway.openapi import Handler
from services.gateway.upstreams import ENGAGEMENT, Answer, Asked
from zhiyin.contracts.callbacks import CALLBACK_HEADERS, Callback
from zhiyin.contracts.visits import Visit, Visited, VisitKind
from zhiyin.runtime.problems import Problem

CALLBACK: Final = "/v1/channels/{name}/callback"
_MOST_FIELDS: Final = 20
_SECONDS: Final = 10.0
# The smallest picture there is: one transparent dot.
_DOT: Final = bytes.fromhex(
    "47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b"
)
_HTML: Final = "text/html; charset=utf-8"
_FORMS: Final = frozenset({"u", "s"})


class LetsPass(Protocol):
    async def let_pass(self, request: Request) -> None: ...


class OpenDoors:
    def __init__(self, gate: LetsPass, upstreams: Asks) -> None:
        self._gate = gate
        self._upstreams = upstreams

    async def callback(self, request: Request) -> Response:
        """Handed on as it came: a signature may cover all of it."""
        await self._gate.let_pass(request)
        name = fit(request)["name"]
        said = Callback(
            request.method,
            dict(request.query_params),
            {each: request.headers.get(each, "") for each in CALLBACK_HEADERS},
            await read_bytes(request),
        )
        target = f"/internal/channels/{quote(name, safe='')}/callback"
        return passed_on(await self._ask(request, target, msgspec.msgpack.encode(said), "provider"))

    async def visit(self, kind: VisitKind, request: Request) -> Response:
        await self._gate.let_pass(request)
        code = fit(request)["code"].removesuffix(".gif")
        acts = request.method == "POST"
        visit = Visit(
            kind,
            code,
            acts,
            request.method != "HEAD",
            request.headers.get("accept-language", "")[:200],
            _form(await read_bytes(request)) if acts else {},
        )
        raw = without_personal(msgspec.json.encode(visit))
        answer = await self._ask(request, "/internal/visits", raw, "visitor")
        if answer.status != 200:
            raise Problem(503, "unavailable", "please try again in a moment", retry_after=5)
        return _shown(msgspec.json.decode(answer.body, type=Visited), kind)

    async def _ask(self, request: Request, target: str, body: bytes, actor: str) -> Answer:
        trace = request.scope.get("traceparent", "")
        asked = Asked("POST", target, actor, trace, body, timeout=_SECONDS)
        return await self._upstreams.ask(ENGAGEMENT, asked)


def _form(body: bytes) -> dict[str, str]:
    """The fields of a form; none where it is no form."""
    try:
        return dict(parse_qsl(body.decode(), max_num_fields=_MOST_FIELDS))
    except ValueError:
        return {}


def _shown(visited: Visited, kind: VisitKind) -> Response:
    if visited.location is not None:
        return RedirectResponse(visited.location, visited.status)
    if kind == "o":
        return Response(_DOT, visited.status, media_type="image/gif")
    return Response(visited.html, visited.status, media_type=_HTML)


def paths(doors: OpenDoors) -> Iterator[tuple[str, Handler, list[str]]]:
    """What is served under which path to which methods; in no documentation, because nobody who
    writes programs calls it."""
    yield CALLBACK, doors.callback, ["GET", "POST"]
    for kind in get_args(VisitKind):
        methods = ["GET", "POST"] if kind in _FORMS else ["GET"]
        yield f"/{kind}/{{code}}", partial(doors.visit, kind), methods
