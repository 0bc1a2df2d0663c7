"""Whoever is calling: what they may, and what they change about their own account."""

from collections.abc import Sequence
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.accounts import Accounts
from services.gateway.auth import Caller
from services.gateway.bodies import read_json
from services.gateway.calls import Admits, Call, Records
from services.gateway.domain.scopes import SCOPES
from services.gateway.domain.sessions import AccessTokens, Must
from services.gateway.routes.sessions import client_network
from services.gateway.second_factor import Enrolment, SecondFactor
from services.gateway.sessions import Sessions
from services.gateway.signing_in import SigningIn, Typed
from services.gateway.stores.audit import Entry
from services.gateway.stores.operators import Operator, OperatorStore
from zhiyin.runtime.problems import FieldError, Problem, current_trace
from zhiyin.runtime.web import body, json

_TAG: Final = "sessions"


class MeView(Struct, frozen=True):
    """`scopes`: all that are held, also by way of `admin`. `brands` null: campaigns of all brands.
    `totp`: one-time codes are set up."""

    kind: Literal["key", "operator"]
    id: str
    scopes: list[str]
    brands: list[str] | None
    role: str | None = None
    email: str | None = None
    name: str | None = None
    must: tuple[Must, ...] = ()
    totp: bool | None = None
    session_id: str | None = None
    csrf_token: str | None = None


class PasswordSpec(Struct, frozen=True, forbid_unknown_fields=True):
    current_password: Typed
    new_password: Typed


class ProofSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The password once more: a session left open must not be enough."""

    password: Typed


class CodeSpec(Struct, frozen=True, forbid_unknown_fields=True):
    code: Annotated[str, Meta(max_length=16)]


class RecoveryCodes(Struct, frozen=True):
    """Each signs in once in place of a one-time code. Shown this once."""

    recovery_codes: Sequence[str]


_PROOF: Final = {"password": "correct horse battery"}
SHOW: Final = Call(
    method="GET", path="/v1/me", scope=None, service="gateway", name="me.show",
    summary="Who is calling, and what they may", tag=_TAG, answer=MeView,
)  # fmt: skip
PASSWORD: Final = Call(
    method="POST", path="/v1/me/password", scope=None, service="gateway", name="me.password",
    summary="Change your password: your other sessions are over", tag=_TAG, body=PasswordSpec,
    status=204, example={"current_password": "temporary", "new_password": "correct horse battery"},
)  # fmt: skip
ENROL: Final = Call(
    method="POST", path="/v1/me/totp", scope=None, service="gateway", name="me.totp.enrol",
    summary="A secret for one-time codes, in force once confirmed", tag=_TAG, body=ProofSpec,
    answer=Enrolment, example=_PROOF,
)  # fmt: skip
CONFIRM: Final = Call(
    method="POST", path="/v1/me/totp/confirm", scope=None, service="gateway",
    name="me.totp.confirm", summary="Ask for one-time codes from now on", tag=_TAG, body=CodeSpec,
    answer=RecoveryCodes, example={"code": "123456"},
)  # fmt: skip
REMOVE: Final = Call(
    method="POST", path="/v1/me/totp/remove", scope=None, service="gateway",
    name="me.totp.remove", summary="No longer ask for one-time codes", tag=_TAG, body=ProofSpec,
    status=204, example=_PROOF,
)  # fmt: skip
RECOVERY: Final = Call(
    method="POST", path="/v1/me/recovery-codes", scope=None, service="gateway",
    name="me.recovery-codes", summary="New recovery codes in place of all others", tag=_TAG,
    body=ProofSpec, answer=RecoveryCodes, example=_PROOF,
)  # fmt: skip


class MeRoutes:
    def __init__(
        self,
        gate: Admits,
        accounts: Accounts,
        store: OperatorStore,
        signing_in: SigningIn,
        second: SecondFactor,
        sessions: Sessions,
        tokens: AccessTokens,
        audit: Records,
    ) -> None:
        self._gate = gate
        self._accounts = accounts
        self._store = store
        self._signing_in = signing_in
        self._second = second
        self._sessions = sessions
        self._tokens = tokens
        self._audit = audit

    async def show(self, request: Request) -> Response:
        caller = await self._gate.admit(request)
        scopes = [scope for scope in SCOPES if caller.may(scope)]
        brands = None if caller.brands is None else sorted(caller.brands)
        view = MeView(caller.kind, caller.id, scopes, brands)
        if caller.session_id is None:
            return json(view)
        operator = await self._accounts.existing(caller.id)
        who = (await self._accounts.who([caller.id]))[caller.id]
        return json(
            MeView(
                "operator", caller.id, scopes, brands, caller.role, who.email, who.name,
                caller.must, operator.totp_at is not None, caller.session_id,
                self._tokens.csrf(caller.session_id),
            )
        )  # fmt: skip

    async def password(self, request: Request) -> Response:
        caller, operator = await self._operator(request)
        spec = body(PasswordSpec, await read_json(request))
        await self._prove(request, operator, spec.current_password, "/current_password")
        await self._accounts.set_own_password(
            operator.id, spec.new_password, caller.session_id, caller.actor
        )
        return Response(status_code=204)

    async def enrol(self, request: Request) -> Response:
        _, operator = await self._operator(request)
        spec = body(ProofSpec, await read_json(request))
        await self._prove(request, operator, spec.password, "/password")
        who = (await self._accounts.who([operator.id]))[operator.id]
        return json(await self._second.begin(operator, who.email))

    async def confirm(self, request: Request) -> Response:
        caller, operator = await self._operator(request)
        spec = body(CodeSpec, await read_json(request))
        await self._record(caller, CONFIRM.name)
        codes = await self._second.confirm(operator, spec.code)
        if codes is None:
            raise _wrong("/code", "wrong_code", "not the code of this moment")
        self._changed(caller)
        return json(RecoveryCodes(codes))

    async def remove(self, request: Request) -> Response:
        caller, operator = await self._operator(request)
        spec = body(ProofSpec, await read_json(request))
        await self._prove(request, operator, spec.password, "/password")
        await self._record(caller, REMOVE.name)
        await self._store.disenrol(operator.id)
        self._changed(caller)
        return Response(status_code=204)

    async def recovery_codes(self, request: Request) -> Response:
        caller, operator = await self._operator(request)
        spec = body(ProofSpec, await read_json(request))
        await self._prove(request, operator, spec.password, "/password")
        if operator.totp_at is None:
            raise Problem(409, "not_enrolled", "set up one-time codes first: POST /v1/me/totp")
        await self._record(caller, RECOVERY.name)
        return json(RecoveryCodes(await self._second.new_recovery(operator)))

    async def _operator(self, request: Request) -> tuple[Caller, Operator]:
        caller = await self._gate.admit(request)
        if caller.kind != "operator":
            raise Problem(403, "operators_only", "a key has no account to change")
        return caller, await self._accounts.existing(caller.id)

    async def _prove(
        self, request: Request, operator: Operator, password: str, pointer: str
    ) -> None:
        if not await self._signing_in.proved(operator, password, client_network(request)):
            raise _wrong(pointer, "wrong_password", "not your password")

    async def _record(self, caller: Caller, action: str) -> None:
        await self._audit.record(Entry(caller.actor, action, caller.id, {}, current_trace.get()))

    def _changed(self, caller: Caller) -> None:
        if caller.session_id is not None:
            self._sessions.changed(caller.session_id)


def _wrong(pointer: str, code: str, message: str) -> Problem:
    return Problem(422, code, message, errors=[FieldError(pointer, code, message)])
