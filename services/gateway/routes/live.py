"""`GET /v1/live/…`: what is happening now, as server-sent events."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import Caller
from services.gateway.calls import Admits, Call, Query, asking_of, fit
from services.gateway.domain.health import SystemState
from services.gateway.domain.scopes import OPS_READ
from services.gateway.live.following import Following, Wanted, event_text
from services.gateway.live.listeners import Listeners, Still, Texts
from services.gateway.live.places import positions_of
from services.gateway.live.streams import STREAMS, Stream
from services.gateway.people import Asking
from zhiyin.runtime.log import LogUnavailable, Partition, Tail
from zhiyin.runtime.problems import FieldError, Problem

_TAG: Final = "live"
_MEDIA: Final = ("text/event-stream",)
_LAST: Final = Query(
    "last_event_id", "where to go on, for clients that cannot send the header `Last-Event-ID`"
)
_SYSTEM_SECONDS: Final = 2.0
_MOST_VALUES: Final = 50
_HEADERS: Final = "zhiyin.answer_headers"  # of an answer that has begun, and needs no more

Handler = Callable[[Request], Awaitable[Response]]


class Log(Protocol):
    def tail(self) -> Tail: ...

    async def ends(self, topics: tuple[str, ...]) -> Mapping[Partition, int]: ...


class KnowsState(Protocol):
    async def state(self, asking: Asking) -> SystemState: ...


def _call(name: str, scope: str, summary: str, *query: Query) -> Call:
    return Call(
        method="GET", path=f"/v1/live/{name}", scope=scope, service="gateway",
        name=f"live.{name}", summary=summary, tag=_TAG, media=_MEDIA, query=query,
    )  # fmt: skip


SYSTEM: Final = _call("system", OPS_READ, "How the platform is doing, every two seconds")


class LiveRoutes:
    def __init__(self, gate: Admits, log: Log, listeners: Listeners, health: KnowsState) -> None:
        self._gate = gate
        self._log = log
        self._listeners = listeners
        self._health = health

    def calls(self) -> Iterator[tuple[Call, Handler]]:
        for stream in STREAMS:
            filters = [
                Query(name, f"only these, separated by commas: {text}")
                for name, text in stream.filters.items()
            ]
            call = _call(stream.name, stream.scope, stream.summary, *filters, _LAST)
            yield call, self._handler(stream)
        yield SYSTEM, self._system

    def _handler(self, stream: Stream) -> Handler:
        async def listen(request: Request) -> Response:
            caller = await self._gate.admit(request, stream.scope)
            _all_brands(caller)
            fit(request)
            wanted = _wanted(request, stream)
            positions = await self._positions(request, stream)
            pace = self._listeners.pace
            following = Following(stream, self._log.tail(), positions, wanted, pace)
            still = self._still(request, stream.scope)
            return self._listeners.answer(stream.name, following.told(), still)

        return listen

    async def _system(self, request: Request) -> Response:
        caller = await self._gate.admit(request, OPS_READ)
        texts = self._states(asking_of(request, caller))
        return self._listeners.answer("system", texts, self._still(request, OPS_READ))

    async def _states(self, asking: Asking) -> Texts:
        while True:
            yield event_text("system", await self._health.state(asking))
            for _ in range(2):
                await asyncio.sleep(_SYSTEM_SECONDS / 2)
                yield b""

    async def _positions(self, request: Request, stream: Stream) -> Mapping[Partition, int]:
        """From where to tell: on from the last event heard, else from now on."""
        heard = request.headers.get("last-event-id") or request.query_params.get("last_event_id")
        try:
            ends = await self._log.ends(stream.topics)
        except LogUnavailable as error:
            raise Problem(503, "unavailable", "the event log is away", retry_after=2) from error
        if not heard:
            return ends
        positions = positions_of(stream.topics, heard)
        if positions is None or positions.keys() != ends.keys():
            raise Problem(400, "invalid_last_event_id", "that is no id of this stream")
        return positions

    def _still(self, request: Request, scope: str) -> Still:
        async def why_not() -> Problem | None:
            try:
                await self._gate.admit(Request({**request.scope, _HEADERS: []}), scope)
            except Problem as problem:
                return problem if problem.status in (401, 403) else None
            return None

        return why_not


def _wanted(request: Request, stream: Stream) -> Wanted:
    """By name, the values that are to be told. Raises Problem (422) for a misspelt filter, which
    would otherwise let everything through."""
    wanted = {}
    for name, text in request.query_params.items():
        if name == _LAST.name:
            continue
        values = {value.strip() for value in text.split(",") if value.strip()}
        if name not in stream.filters or not 0 < len(values) <= _MOST_VALUES:
            message = f"filters are {', '.join(stream.filters)}, each with up to {_MOST_VALUES}"
            error = FieldError(f"/query/{name}", "unknown_filter", message)
            raise Problem(422, "unknown_filter", message, errors=[error])
        wanted[name] = values
    return wanted


def _all_brands(caller: Caller) -> None:
    if caller.brands is not None:
        raise Problem(403, "forbidden", "a key bound to brands cannot listen to all of them")
