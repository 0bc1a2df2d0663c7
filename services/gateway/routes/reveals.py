"""`POST /internal/reveal`: values in clear for the services that must have them, such as an
address for the moment of sending. Each is on record before it is opened."""

import re
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.bodies import read_json
from services.gateway.calls import Records
from services.gateway.domain.tokens import is_token
from services.gateway.stores.audit import Entry
from services.gateway.unmasking import Reveals
from zhiyin.runtime.problems import FieldError, Problem, current_trace
from zhiyin.runtime.web import body, json

PATH: Final = "/internal/reveal"
_ACTION: Final = "vault.reveal"
_ACTOR: Final = re.compile(r"[a-z][a-z0-9-]{0,63}")


class RevealSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`reason` goes on record with each token."""

    namespace: Literal["phone", "email"]
    tokens: Annotated[list[str], Meta(min_length=1, max_length=500)]
    reason: Annotated[str, Meta(min_length=1, max_length=500)]


class Revealed(Struct, frozen=True):
    """Token → value in clear; a token without one (never kept, or erased) is left out."""

    values: dict[str, str]


class RevealRoute:
    """The middleware before it lets only callers with the internal token through."""

    def __init__(self, vault: Reveals, audit: Records) -> None:
        self._vault = vault
        self._audit = audit

    async def reveal(self, request: Request) -> Response:
        actor = request.headers.get("x-zhiyin-actor", "")
        if not _ACTOR.fullmatch(actor):
            message = "say which service asks: X-Zhiyin-Actor: <service>"
            raise Problem(400, "actor_missing", message)
        spec = body(RevealSpec, await read_json(request))
        tokens = _checked(spec.tokens)
        detail = {"why": spec.reason, "namespace": spec.namespace}
        entries = [
            Entry(f"service:{actor}", _ACTION, token, detail, current_trace.get())
            for token in tokens
        ]
        await self._audit.record_all(entries)
        values = await self._vault.reveal(spec.namespace, tokens)
        return json(Revealed(dict(values)))


def _checked(tokens: list[str]) -> list[str]:
    """Each once. Raises Problem (422): nothing else is put on record as a token."""
    for index, token in enumerate(tokens):
        if not is_token(token):
            message = "not a token the gateway made"
            error = FieldError(f"/tokens/{index}", "not_a_token", message)
            raise Problem(422, "not_a_token", message, errors=[error])
    return list(dict.fromkeys(tokens))
