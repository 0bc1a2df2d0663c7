"""Passing a call on to the service that owns it: checked, on record, its answer fit to be seen."""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import quote

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import Caller
from services.gateway.bodies import read_json
from services.gateway.calls import (
    Admits,
    Asks,
    Call,
    KnowsPeople,
    Once,
    Records,
    asking_of,
    fit,
    handed_on,
    passed_on,
)
from services.gateway.domain.names import names_of
from services.gateway.stores.audit import Entry
from services.gateway.upstreams import Asked
from zhiyin.runtime.answers import NDJSON
from zhiyin.runtime.problems import current_trace

_PARAMETER: Final = re.compile(r"\{(\w+)\}")

Prepare = Callable[[bytes], bytes]


class Forwarder:
    """Checks the caller, keeps the record, and passes a call on. `prepares` by name, because a
    call in a table cannot hold what is only built in `main`."""

    def __init__(
        self,
        gate: Admits,
        upstreams: Asks,
        people: KnowsPeople,
        audit: Records,
        idempotency: Once,
        prepares: Mapping[str, Prepare],
    ) -> None:
        self._gate = gate
        self._upstreams = upstreams
        self._people = people
        self._audit = audit
        self._idempotency = idempotency
        self._prepares = prepares

    def endpoint(self, call: Call) -> Callable[[Request], Awaitable[Response]]:
        """The handler of a call. Reads as: admit, read, (once:) record, ask, answer."""

        async def handle(request: Request) -> Response:
            caller = await self._gate.admit(request, *call.scopes)
            parameters = fit(request)
            body = await read_json(request) if call.body is not None else b""
            if call.prepare is not None:
                body = self._prepares[call.prepare](body)

            async def do() -> Response:
                return await self._do(call, request, caller, parameters, body)

            if call.once:
                return await self._idempotency.once(request, caller.id, body, do)
            return await do()

        return handle

    async def _do(
        self,
        call: Call,
        request: Request,
        caller: Caller,
        parameters: Mapping[str, str],
        body: bytes,
    ) -> Response:
        asking = asking_of(request, caller)
        if "profile_id" in parameters and call.service != "profile":
            # Only the profile service knows under which id a merged person goes on.
            current = await self._people.current_id(parameters["profile_id"], asking)
            parameters = {**parameters, "profile_id": current}
        path = _PARAMETER.sub(lambda found: quote(parameters[found[1]], safe=""), call.path)
        if call.changing:
            await self._record(call, caller, path)
        asked = Asked(
            method=call.method,
            target=_target(path, request),
            actor=asking.actor,
            traceparent=asking.traceparent,
            body=body,
            timeout=call.timeout,
            brands=asking.brands,
        )
        if call.streams and NDJSON in request.headers.get("accept", ""):
            return handed_on(
                await self._upstreams.stream(call.service, replace(asked, accept=NDJSON))
            )
        answer = await self._upstreams.ask(call.service, asked)
        if call.changing and answer.status >= 400:
            await self._record(call, caller, path, answer.status)
        if call.mask is not None and answer.status == 200:
            person = await self._people.by_id(parameters["profile_id"], asking)
            answer = replace(answer, body=call.mask(answer.body, names_of(person.snapshot)))
        return passed_on(answer)

    async def _record(self, call: Call, caller: Caller, path: str, refused: int = 0) -> None:
        """Before it is done, so that nothing is done unrecorded; and again if it was refused."""
        action = f"{call.name}.refused" if refused else call.name
        detail = {"status": str(refused)} if refused else {}
        await self._audit.record(Entry(caller.actor, action, path, detail, current_trace.get()))


def _target(path: str, request: Request) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return f"{path}?{quote(query, safe=_QUERY_SAFE)}" if query else path


_QUERY_SAFE: Final = "%=&+:/?@!$'()*,;-._~[]"
