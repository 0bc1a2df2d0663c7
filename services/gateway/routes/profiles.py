"""Profiles: read by the gateway itself, changed through the profile service."""

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import PAGE, Admits, Call, Query, asking_of, fit
from services.gateway.domain.door import Door
from services.gateway.domain.names import names_masked_in
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.scopes import PROFILES_ANNOTATE, PROFILES_READ, PROFILES_READ_PII
from services.gateway.people import Asking, Person
from services.gateway.prepare import ATTRIBUTES, IDENTIFIERS
from services.gateway.routes.of_profile import profile_call
from services.gateway.unmasking import Unmasking, masked
from services.gateway.upstreams import ENGAGEMENT, SEGMENTATION
from zhiyin.contracts.events import NAMESPACES
from zhiyin.contracts.merges import MergePreview, UnmergePreview
from zhiyin.contracts.notes import NoteSpec
from zhiyin.contracts.receipts import Mark, marks_of
from zhiyin.contracts.segments import SegmentOfProfile
from zhiyin.contracts.tag_rules import ManualTag
from zhiyin.facts import profile_view
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import FieldError, Problem, current_trace
from zhiyin.runtime.web import Page

_AFTER: Final = Query("after", "a receipt: waits up to 2 s until its events are in the answer")
_WHY: Final = Query("reason", "why personal values are looked at; goes on record")
_TYPE: Final = Query("type", "only events of this type")
_PROFILE: Final = {
    "profile_id": "01975d3e-6a0c-7c55-8f5e-3f7f6a2f9d10",
    "version": 7,
    "identifiers": {"member_id": ["M1001"], "phone": ["138****1111"]},
    "orders": {"count": 3, "total": "777.00", "average": "259.00", "refunded": "0.00"},
    "rfm": {"r": 5, "f": 3, "m": 4, "class": "high_value_loyal"},
    "lifecycle": {"stage": "repeat", "since": "2026-11-11T00:00:03Z"},
    "segments": ["high-value-loyal"],
}


class MergeSpec(Struct, frozen=True):
    """Profile ids: `absorb` becomes an alias of `keep`."""

    keep: str
    absorb: str


class UnmergeSpec(Struct, frozen=True):
    """`identifiers` (`namespace:value`) leave this person and become one of their own, who is
    whoever they were before a merge; or `former`: a profile id of `merged_from` leaves with all
    that was theirs."""

    identifiers: list[str] = []
    former: str | None = None


class Commanded(Struct, frozen=True):
    """The command is recorded as an event; `?after=<receipt>` reads what came of it."""

    profile_id: str
    receipt: str
    accepted: int


_COMMAND: Final[dict[str, Any]] = {"status": 202, "answer": Commanded}


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    return profile_call(method, path, name, summary, tag=name.partition(".")[0], **more)


SHOW: Final = _call(
    "GET", "profiles/{profile_id}", "profiles.show", "One profile as of now",
    query=(_AFTER, _WHY), answer_example=_PROFILE,
)  # fmt: skip
BY: Final = _call(
    "GET", "profiles/by/{namespace}/{value:path}", "profiles.by_identifier",
    "The profile an identifier belongs to; a raw phone or email is fine",
    query=(_AFTER, _WHY), answer_example=_PROFILE,
)  # fmt: skip
CALLS: Final = (
    _call(
        "POST", "profiles/merge", "profiles.merge", "These two are one person",
        body=MergeSpec, example={"keep": "…", "absorb": "…"}, creates=True, **_COMMAND,
    ),
    _call(
        "POST", "profiles/{profile_id}/unmerge", "profiles.unmerge",
        "These identifiers are somebody else's",
        body=UnmergeSpec, example={"identifiers": ["phone:+8613800001111"]},
        prepare=IDENTIFIERS, creates=True, **_COMMAND,
    ),
    _call(
        "POST", "profiles/merge/preview", "profiles.merge.preview", "What a merge would do",
        body=MergeSpec, example={"keep": "…", "absorb": "…"}, changes=False, answer=MergePreview,
    ),
    _call(
        "POST", "profiles/{profile_id}/unmerge/preview", "profiles.unmerge.preview",
        "What would move", body=UnmergeSpec, example={"former": "…"}, prepare=IDENTIFIERS,
        changes=False, answer=UnmergePreview,
    ),
    _call(
        "GET", "profiles/{profile_id}/timeline", "profiles.timeline", "What happened, newest first",
        query=(*PAGE, _TYPE), mask=names_masked_in,
    ),
    _call(
        "GET", "profiles/{profile_id}/segments", "profiles.segments", "Segments of a person",
        service=SEGMENTATION, answer=Page[SegmentOfProfile],
    ),
    _call(
        "GET", "profiles/{profile_id}/actions", "profiles.actions",
        "What was decided, sent, or skipped and why", service=ENGAGEMENT, query=PAGE,
        mask=names_masked_in,
    ),
    _call(
        "GET", "profiles/{profile_id}/coupons", "profiles.coupons", "Coupons of a person",
        service=ENGAGEMENT, query=PAGE,
    ),
    _call(
        "PUT", "profiles/{profile_id}/tags/{tag}", "profiles.tag", "Set a tag by hand",
        or_scope=PROFILES_ANNOTATE,
        body=ManualTag, body_optional=True, example={"until": "2027-01-01T00:00:00+08:00"},
        **_COMMAND,
    ),
    _call(
        "DELETE", "profiles/{profile_id}/tags/{tag}", "profiles.untag", "Take a tag away",
        or_scope=PROFILES_ANNOTATE,
        **_COMMAND,
    ),
    _call(
        "PUT", "profiles/{profile_id}/notes/{note_id}", "profiles.note",
        "Write down what staff should heed with every order, or with the next",
        or_scope=PROFILES_ANNOTATE,
        body=NoteSpec, example={"text": "不吃香菜", "kind": "taste_taboo"}, prepare=ATTRIBUTES,
        **_COMMAND,
    ),
    _call(
        "DELETE", "profiles/{profile_id}/notes/{note_id}", "profiles.unnote", "Take a note back",
        or_scope=PROFILES_ANNOTATE,
        **_COMMAND,
    ),
    _call(
        "PATCH", "profiles/{profile_id}/attributes", "profiles.attributes", "Correct attributes",
        or_scope=PROFILES_ANNOTATE,
        body=dict[str, Any], example={"city": "杭州"}, prepare=ATTRIBUTES, **_COMMAND,
    ),
)  # fmt: skip


class Finds(Protocol):
    async def by_id(self, profile_id: str, asking: Asking) -> Person: ...

    async def by_identifier(self, namespace: str, value: str, asking: Asking) -> Person: ...

    async def after(
        self, marks: Sequence[Mark], profile_id: str | tuple[str, str], asking: Asking
    ) -> Person: ...


class ProfileRoutes:
    def __init__(
        self,
        gate: Admits,
        people: Finds,
        door: Door,
        unmasking: Unmasking,
        clock: Clock,
        currency: str,
        zone: tzinfo,
    ) -> None:
        self._gate = gate
        self._people = people
        self._door = door
        self._unmasking = unmasking
        self._clock = clock
        self._currency = currency
        self._zone = zone
        self._encoder = msgspec.json.Encoder()

    async def show(self, request: Request) -> Response:
        return await self._read(request, self._by_id)

    async def by_identifier(self, request: Request) -> Response:
        return await self._read(request, self._by_identifier)

    async def _by_id(
        self, parameters: Mapping[str, str], marks: Sequence[Mark], asking: Asking
    ) -> Person:
        profile_id = parameters["profile_id"]
        if marks:
            return await self._people.after(marks, profile_id, asking)
        return await self._people.by_id(profile_id, asking)

    async def _by_identifier(
        self, parameters: Mapping[str, str], marks: Sequence[Mark], asking: Asking
    ) -> Person:
        namespace = parameters["namespace"]
        if namespace not in NAMESPACES:
            message = f"identifiers are {', '.join(NAMESPACES)}"
            raise Problem(400, "unknown_namespace", message)
        found = self._door.identifier(f"{namespace}:{parameters['value']}")
        if isinstance(found, Rejection):
            error = FieldError("/value", found.code, found.message)
            raise Problem(422, found.code, found.message, errors=[error])
        value = found.partition(":")[2]
        if marks:
            return await self._people.after(marks, (namespace, value), asking)
        return await self._people.by_identifier(namespace, value, asking)

    async def _read(self, request: Request, find: Any) -> Response:
        caller = await self._gate.admit(request, PROFILES_READ, PROFILES_READ_PII)
        marks = _marks(request.query_params.get("after"))
        person: Person = await find(fit(request), marks, asking_of(request, caller))
        now = self._clock()
        view = profile_view(
            person.snapshot, person.segments, now, currency=self._currency, zone=self._zone
        )
        if caller.may(PROFILES_READ_PII):
            view = await self._unmasking.in_clear(
                view,
                person.snapshot,
                actor=caller.actor,
                why=request.query_params.get("reason", "")[:500],
                trace_id=current_trace.get(),
            )
        else:
            view = masked(view)
        return Response(self._encoder.encode(view), media_type="application/json")


def _marks(receipt: str | None) -> Sequence[Mark]:
    if receipt is None:
        return ()
    marks = marks_of(receipt)
    if marks is None:
        raise Problem(400, "invalid_receipt", "after is not a receipt of POST /v1/events")
    return marks
