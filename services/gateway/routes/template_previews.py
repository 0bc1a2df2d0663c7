"""Message templates as a real customer would get them, masked by scope.

Names are masked before they are put into the text: a template could otherwise spell them out."""

from typing import Any, Final, Protocol

import msgspec
from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.bodies import read_json
from services.gateway.calls import Admits, Asks, Call, Records, asking_of, fit, passed_on
from services.gateway.domain.masking import NAME_ATTRIBUTES, shown_name
from services.gateway.domain.names import names_masked_in, names_of
from services.gateway.domain.scopes import CAMPAIGNS_READ, PROFILES_READ, PROFILES_READ_PII
from services.gateway.people import Asking, Person
from services.gateway.stores.audit import Entry
from services.gateway.upstreams import ENGAGEMENT, Asked
from zhiyin.contracts.previews import PreviewSpec
from zhiyin.contracts.profiles import Snapshot
from zhiyin.runtime.problems import Problem, current_trace
from zhiyin.runtime.web import body

_ASKED: Final = {"profile_id": "01975d3e…", "channel": "sms"}
_SHOWN: Final[dict[str, Any]] = {
    "profile_id": "01975d3e…",
    "channel": "sms",
    "language": "zh",
    "subject": "",
    "text": "王**，好久不见。为您备了一张回归券：满 99.00 元减 30.00 元，券码 SAMPLE12345。",
    "html": None,
    "template_id": "SMS_1",
    "params": {"code": "SAMPLE12345"},
    "page": None,
    "missing": ["profile.attributes.city.value"],
    "error": None,
    "sms": {"characters": 52, "parts": 1, "left": 18},
    "assumed": ["campaign", "coupon", "links", "surveys", "trigger"],
}


def _call(path: str, name: str, summary: str, example: dict[str, Any]) -> Call:
    return Call(
        method="POST",
        path=f"/v1/templates/{path}",
        scope=PROFILES_READ,
        and_scope=CAMPAIGNS_READ,
        service=ENGAGEMENT,
        name=name,
        summary=summary,
        tag="templates",
        body=PreviewSpec,
        example=example,
        answer_example=_SHOWN,
        changes=False,
    )


PREVIEW: Final = _call(
    "{key}/preview", "templates.preview", "As this customer would get it", _ASKED
)
DRAFT: Final = _call(
    "preview", "templates.preview_draft", "The same for a template that is not kept yet",
    {**_ASKED, "template": {"body": "{{ profile.attributes.name.value }}，好久不见"}},
)  # fmt: skip


class FindsPeople(Protocol):
    async def by_id(self, profile_id: str, asking: Asking) -> Person: ...


class TemplatePreviews:
    def __init__(self, gate: Admits, people: FindsPeople, upstreams: Asks, audit: Records) -> None:
        self._gate = gate
        self._people = people
        self._upstreams = upstreams
        self._audit = audit

    async def show(self, request: Request) -> Response:
        caller = await self._gate.admit(request, PROFILES_READ)
        if not caller.may(CAMPAIGNS_READ):
            raise Problem(403, "forbidden", f"this key does not have the scope {CAMPAIGNS_READ}")
        fit(request)
        spec = body(PreviewSpec, await read_json(request))
        asking = asking_of(request, caller)
        snapshot = (await self._people.by_id(spec.profile_id, asking)).snapshot
        if caller.may(PROFILES_READ_PII):
            names = {}
            detail = {"why": "template preview"}
            await self._audit.record(
                Entry(
                    caller.actor,
                    "profile.read_unmasked",
                    snapshot.profile_id,
                    detail,
                    current_trace.get(),
                )
            )
        else:
            names = _masked_names(snapshot)
        asked = Asked(
            "POST",
            request.url.path,
            asking.actor,
            asking.traceparent,
            msgspec.json.encode(replace(spec, profile_id=snapshot.profile_id, instead=names)),
        )
        answer = await self._upstreams.ask(ENGAGEMENT, asked)
        if names and answer.status == 200:  # where somebody wrote the name down elsewhere, too
            answer = replace(answer, body=names_masked_in(answer.body, names_of(snapshot)))
        return passed_on(answer)


def _masked_names(snapshot: Snapshot) -> dict[str, str]:
    attributes = snapshot.facts.attributes
    stated = {name: attributes[name].value for name in NAME_ATTRIBUTES & attributes.keys()}
    return {name: shown_name(value) for name, value in stated.items() if isinstance(value, str)}
