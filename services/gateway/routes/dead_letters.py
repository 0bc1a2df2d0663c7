"""Dead letters of all services in one list, and their replay."""

import re
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import PAGE, Admits, Asks, Call, Records, asking_of, fit, page_asked
from services.gateway.calls import passed_on as passed
from services.gateway.domain.scopes import ADMIN, OPS_READ
from services.gateway.people import Asking
from services.gateway.stores.audit import Entry
from services.gateway.upstreams import ENGAGEMENT, PROFILE, SEGMENTATION, Asked
from zhiyin.runtime.problems import Problem, current_trace
from zhiyin.runtime.web import decode_cursor, encode_cursor, json

_SERVICES: Final = (PROFILE, SEGMENTATION, ENGAGEMENT)
_PATH: Final = "/v1/dead-letters"
_SECONDS: Final = 5.0
_NUMBER: Final = re.compile(r"[0-9]{1,18}")


class _Listed(Struct, frozen=True):
    items: list[dict[str, Any]]
    next_cursor: str | None = None


class DeadLetters(_Listed, frozen=True):
    """`unavailable`: services that did not answer, whose letters are missing."""

    unavailable: list[str] = []


_NONE: Final = _Listed([])

LIST: Final = Call(
    method="GET",
    path=_PATH,
    scope=OPS_READ,
    service="gateway",
    name="dead-letters.list",
    summary="Records that could not be applied, service by service, with the reason",
    tag="operations",
    query=PAGE,
    answer=DeadLetters,
)
REPLAY: Final = Call(
    method="POST",
    path=_PATH + "/{id}/replay",
    scope=ADMIN,
    service="gateway",
    name="dead-letters.replay",
    summary="Put a dead letter back into the log",
    tag="operations",
)


class DeadLetterRoutes:
    """A dead letter's public id is `<service>.<its id there>`."""

    def __init__(self, gate: Admits, upstreams: Asks, audit: Records) -> None:
        self._gate = gate
        self._upstreams = upstreams
        self._audit = audit

    async def list(self, request: Request) -> Response:
        """One service after the other, so that a page's cursor is one service's cursor. A service
        that is away is passed over and named; 503 only when none of those asked answers."""
        caller = await self._gate.admit(request, OPS_READ)
        asked = page_asked(request)
        service, cursor = _place(asked.cursor)
        asking = asking_of(request, caller)
        items: list[dict[str, Any]] = []
        away: dict[str, Problem] = {}
        rest = _SERVICES[_SERVICES.index(service) :]
        for name in rest:
            room = asked.limit - len(items)
            if room == 0:
                return json(DeadLetters(items, encode_cursor(name, ""), list(away)))
            try:
                found = await self._page(name, room, cursor, asking)
            except Problem as problem:
                if problem.status < 500:
                    raise
                away[name] = problem
                found = _NONE
            items += [_public(name, item) for item in found.items]
            if found.next_cursor is not None:
                more = encode_cursor(name, found.next_cursor)
                return json(DeadLetters(items, more, list(away)))
            cursor = ""
        if len(away) == len(rest):
            raise away[rest[0]]
        return json(DeadLetters(items, None, list(away)))

    async def replay(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        letter = fit(request)["id"]
        service, _, number = letter.partition(".")
        if service not in _SERVICES or not _NUMBER.fullmatch(number):
            raise Problem(404, "unknown_dead_letter", "there is no such dead letter")
        trace_id = current_trace.get()
        await self._audit.record(Entry(caller.actor, "dead-letters.replay", letter, {}, trace_id))
        asking = asking_of(request, caller)
        target = f"{_PATH}/{number}/replay"
        asked = Asked("POST", target, asking.actor, asking.traceparent)
        return passed(await self._upstreams.ask(service, asked))

    async def _page(self, service: str, limit: int, cursor: str, asking: Asking) -> _Listed:
        query = urlencode({"limit": limit, **({"cursor": cursor} if cursor else {})})
        asked = Asked("GET", f"{_PATH}?{query}", asking.actor, asking.traceparent, timeout=_SECONDS)
        answer = await self._upstreams.ask(service, asked)
        if answer.status == 400:
            raise Problem(400, "invalid_cursor", "cursor is not one this endpoint gave out")
        if answer.status != 200:
            raise Problem(503, "unavailable", f"the {service} service is away", retry_after=2)
        return msgspec.json.decode(answer.body, type=_Listed)


def _public(service: str, letter: dict[str, Any]) -> dict[str, Any]:
    return {**letter, "id": f"{service}.{letter['id']}", "service": service}


def _place(cursor: str | None) -> tuple[str, str]:
    if not cursor:
        return _SERVICES[0], ""
    service, inner = decode_cursor(cursor, tuple[str, str])
    if service not in _SERVICES:
        raise Problem(400, "invalid_cursor", "cursor is not one this endpoint gave out")
    return service, inner
