"""Erasing a person, and the receipt of it."""

import uuid
from typing import Final

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import Admits, Call, KnowsPeople, Query, Records, asking_of, fit
from services.gateway.domain.receipts import ErasureReceipt
from services.gateway.domain.scopes import OPS_READ, PROFILES_WRITE
from services.gateway.erasures import Erasures, Outcome
from services.gateway.stores.audit import Entry
from services.gateway.stores.erasures import Erasure, ErasureStore
from zhiyin.contracts.instants import instant, rfc3339
from zhiyin.runtime.problems import Problem, current_trace
from zhiyin.runtime.web import json

_ID: Final = "01975d3e-6a0c-7c55-8f5e-3f7f6a2f9d10"
_RECEIPT: Final = {
    "erasure_id": _ID,
    "profile_id": _ID,
    "status": "completed",
    "requested_at": "2026-11-11T00:00:03Z",
    "requested_by": "key:8f2c",
    "completed_at": "2026-11-11T00:00:07Z",
    "refused_events": 0,
    "stores": [{"store": "gateway.vault", "erased": 2}, {"store": "profile.event", "erased": 17}],
}


class ErasureBegun(Struct, frozen=True):
    """`GET /v1/erasures/{erasure_id}` says when it is completed."""

    erasure_id: str
    profile_id: str
    status: str = "pending"


ERASE: Final = Call(
    method="DELETE", path="/v1/profiles/{profile_id}", scope=PROFILES_WRITE, service="gateway",
    name="profiles.erase", summary="Erase a person everywhere; there is no way back",
    tag="profiles", query=(Query("reason", "why; goes on record"),), status=202,
    answer=ErasureBegun,
)  # fmt: skip
SHOW: Final = Call(
    method="GET", path="/v1/erasures/{erasure_id}", scope=PROFILES_WRITE, or_scope=OPS_READ,
    service="gateway", name="erasures.show", summary="How far an erasure is; once done its receipt",
    tag="profiles", answer=ErasureReceipt, answer_example=_RECEIPT,
)  # fmt: skip


class ErasureRoutes:
    def __init__(
        self,
        gate: Admits,
        people: KnowsPeople,
        store: ErasureStore,
        erasures: Erasures,
        audit: Records,
    ) -> None:
        self._gate = gate
        self._people = people
        self._store = store
        self._erasures = erasures
        self._audit = audit

    async def erase(self, request: Request) -> Response:
        caller = await self._gate.admit(request, PROFILES_WRITE)
        asked = fit(request)["profile_id"]
        if (earlier := await self._store.of_profile(asked)) is not None:
            raise _already(earlier)
        profile_id = await self._people.stored_id(asked, asking_of(request, caller))
        reason = request.query_params.get("reason", "")[:500]
        erasure_id = str(uuid.uuid4())
        detail = {"erasure_id": erasure_id, **({"why": reason} if reason else {})}
        trace_id = current_trace.get()
        entry = Entry(caller.actor, ERASE.name, profile_id, detail, trace_id)
        await self._audit.record(entry)
        if not await self._store.open(erasure_id, profile_id, caller.actor, reason):
            raise _already(await self._store.of_profile(profile_id))
        self._erasures.wake()
        answer = json(ErasureBegun(erasure_id, profile_id), 202)
        answer.headers["location"] = f"/v1/erasures/{erasure_id}"
        return answer

    async def show(self, request: Request) -> Response:
        await self._gate.admit(request, *SHOW.scopes)
        found = await self._store.find(fit(request)["erasure_id"])
        if found is None:
            raise Problem(404, "unknown_erasure", "there is no such erasure")
        return json(_receipt(found))


def _receipt(erasure: Erasure) -> ErasureReceipt:
    done = erasure.completed_at is not None
    outcome = msgspec.convert(erasure.receipt, Outcome) if done else Outcome(0, ())
    return ErasureReceipt(
        erasure.id,
        erasure.profile_id,
        "completed" if done else "pending",
        rfc3339(instant(erasure.requested_at)),
        erasure.requested_by,
        erasure.reason,
        rfc3339(instant(erasure.completed_at)) if erasure.completed_at else None,
        outcome.refused_events,
        outcome.stores,
    )


def _already(erasure_id: str | None) -> Problem:
    return Problem(
        409,
        "already_erased",
        "this person has been erased, or is about to be",
        extra={"erasure_id": erasure_id},
    )
