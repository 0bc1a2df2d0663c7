"""Reading one profile: from the hot copy if it can be, as of now, masked or in clear."""

from collections.abc import Sequence
from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import Caller
from services.gateway.calls import Admits, asking_of, fit
from services.gateway.domain.door import Door
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.scopes import PROFILES_READ, PROFILES_READ_PII
from services.gateway.hot import Hot
from services.gateway.people import Asking, Person, Who
from services.gateway.showing import Showing, Shown, shown_of
from services.gateway.unmasking import Unmasking
from zhiyin.contracts.events import NAMESPACES
from zhiyin.contracts.receipts import Mark, marks_of
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import FieldError, Problem, current_trace

_IN_CLEAR: Final = {"cache-control": "no-store"}


class Finds(Protocol):
    async def hot(self, who: Who) -> Hot | None: ...

    async def whole(self, who: Who, hot: Hot | None, asking: Asking) -> Person: ...

    async def after(self, marks: Sequence[Mark], who: Who, asking: Asking) -> Person: ...


class ProfileReads:
    def __init__(
        self,
        gate: Admits,
        people: Finds,
        door: Door,
        unmasking: Unmasking,
        showing: Showing,
        clock: Clock,
    ) -> None:
        self._gate = gate
        self._people = people
        self._door = door
        self._unmasking = unmasking
        self._showing = showing
        self._clock = clock

    async def by_id(self, request: Request) -> Response:
        caller = await self._gate.admit(request, PROFILES_READ, PROFILES_READ_PII)
        marks = _marks(request)
        return await self._read(request, caller, fit(request)["profile_id"], marks)

    async def by_identifier(self, request: Request) -> Response:
        caller = await self._gate.admit(request, PROFILES_READ, PROFILES_READ_PII)
        marks = _marks(request)
        parameters = fit(request)
        who = self._identifier(parameters["namespace"], parameters["value"])
        return await self._read(request, caller, who, marks)

    async def _read(
        self, request: Request, caller: Caller, who: Who, marks: Sequence[Mark]
    ) -> Response:
        asking = asking_of(request, caller)
        if caller.may(PROFILES_READ_PII):
            return await self._in_clear(request, caller, await self._person(who, marks, asking))
        if marks:
            person = await self._people.after(marks, who, asking)
            now = self._clock()
            return _answer(self._showing.first(person, now), now)
        hot = await self._people.hot(who)
        now = self._clock()
        shown = None if hot is None else self._showing.again(hot, now, who)
        if shown is None:
            person = await self._people.whole(who, hot, asking)
            now = self._clock()
            shown = self._showing.first(person, now)
        return _answer(shown, now)

    async def _person(self, who: Who, marks: Sequence[Mark], asking: Asking) -> Person:
        if marks:
            return await self._people.after(marks, who, asking)
        return await self._people.whole(who, await self._people.hot(who), asking)

    async def _in_clear(self, request: Request, caller: Caller, person: Person) -> Response:
        now = self._clock()
        view = await self._unmasking.in_clear(
            self._showing.view(person, now),
            person.snapshot,
            actor=caller.actor,
            why=request.query_params.get("reason", "")[:500],
            trace_id=current_trace.get(),
        )
        answer = _answer(shown_of(view), now)
        answer.headers.update(_IN_CLEAR)
        return answer

    def _identifier(self, namespace: str, value: str) -> tuple[str, str]:
        """Normalised, a token if personal. Raises Problem (400, 422)."""
        if namespace not in NAMESPACES:
            message = f"identifiers are {', '.join(NAMESPACES)}"
            raise Problem(400, "unknown_namespace", message)
        found = self._door.identifier(f"{namespace}:{value}")
        if isinstance(found, Rejection):
            error = FieldError("/value", found.code, found.message)
            raise Problem(422, found.code, found.message, errors=[error])
        return namespace, found.partition(":")[2]


def _answer(shown: Shown, now: int) -> Response:
    return Response(shown.at(now), media_type="application/json", headers={"etag": shown.etag})


def _marks(request: Request) -> Sequence[Mark]:
    receipt = request.query_params.get("after")
    if receipt is None:
        return ()
    marks = marks_of(receipt)
    if marks is None:
        raise Problem(400, "invalid_receipt", "after is not a receipt of POST /v1/events")
    return marks
