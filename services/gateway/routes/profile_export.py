"""`GET /v1/profiles/{id}/export`: everything kept of a person, for the person."""

from typing import Final, Protocol

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import Admits, Call, Query, Records, asking_of, fit
from services.gateway.domain.names import names_masked, names_of
from services.gateway.domain.scopes import PROFILES_READ, PROFILES_READ_PII
from services.gateway.exporting import Export, Exporter
from services.gateway.people import Asking, Person
from services.gateway.stores.audit import Entry
from services.gateway.unmasking import Unmasking, masked
from zhiyin.contracts.instants import rfc3339
from zhiyin.facts import profile_view
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import current_trace
from zhiyin.runtime.web import json

EXPORT: Final = Call(
    method="GET",
    path="/v1/profiles/{profile_id}/export",
    scope=PROFILES_READ,
    service="gateway",
    name="profiles.export",
    summary="Everything kept of a person, in one document; in clear with profiles:read_pii",
    tag="profiles",
    answer=Export,
    query=(Query("reason", "why; goes on record"),),
)


class StoredPeople(Protocol):
    async def stored(self, profile_id: str, asking: Asking) -> Person: ...


class ExportRoute:
    def __init__(
        self,
        gate: Admits,
        people: StoredPeople,
        exporter: Exporter,
        unmasking: Unmasking,
        audit: Records,
        clock: Clock,
        currency: str,
    ) -> None:
        self._gate = gate
        self._people = people
        self._exporter = exporter
        self._unmasking = unmasking
        self._audit = audit
        self._clock = clock
        self._currency = currency

    async def export(self, request: Request) -> Response:
        caller = await self._gate.admit(request, PROFILES_READ, PROFILES_READ_PII)
        asking = asking_of(request, caller)
        person = await self._people.stored(fit(request)["profile_id"], asking)
        now, trace_id = self._clock(), current_trace.get()
        why = request.query_params.get("reason", "")[:500]
        entry = Entry(
            caller.actor,
            EXPORT.name,
            person.snapshot.profile_id,
            {"why": why} if why else {},
            trace_id,
        )
        await self._audit.record(entry)
        view = profile_view(person.snapshot, person.segments, now, currency=self._currency)
        clear = caller.may(PROFILES_READ_PII)
        if clear:
            view = await self._unmasking.in_clear(
                view, person.snapshot, actor=caller.actor, why=why or "export", trace_id=trace_id
            )
        else:
            view = masked(view)
        found = await self._exporter.everything(person, view, not clear, rfc3339(now), asking)
        answer = json(found if clear else names_masked(found, names_of(person.snapshot)))
        name = f"profile-{person.snapshot.profile_id}.json"
        answer.headers["content-disposition"] = f'attachment; filename="{name}"'
        return answer
