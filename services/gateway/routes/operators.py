"""Operators: who may sign in, as what. Only the admin scope may."""

from typing import Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.accounts import Accounts, OperatorChange, OperatorSpec, Who
from services.gateway.bodies import read_json
from services.gateway.calls import PAGE, Admits, Call, Once, fit, page_asked
from services.gateway.domain.scopes import ADMIN, OPERATOR_ROLES, ROLES, SCOPES
from services.gateway.stores.operators import Operator, OperatorStore
from zhiyin.contracts.instants import rfc3339
from zhiyin.runtime.web import CursorText, Page, body, decode_cursor, encode_cursor, json

_TAG: Final = "operators"
_PATH: Final = "/v1/operators/{id}"


class OperatorView(Struct, frozen=True):
    """`sign_in`: with a `password` of ours, by an `identity_provider`, or both; `totp`: one-time
    codes are set up."""

    id: str
    email: str
    name: str
    role: str
    brands: list[str] | None
    active: bool
    sign_in: list[str]
    must_change_password: bool
    totp: bool
    created_at: str
    created_by: str
    signed_in_at: str | None


class MadeOperator(Struct, frozen=True):
    """`password` is shown this once and has to be changed at the first sign-in."""

    operator: OperatorView
    password: str | None


class TemporaryPassword(Struct, frozen=True):
    """Shown this once; it has to be changed at the next sign-in."""

    password: str


class RoleView(Struct, frozen=True):
    """`operators`: whether an operator may have it; a key may have any."""

    role: str
    names: dict[str, str]
    scopes: list[str]
    operators: bool


class RoleList(Struct, frozen=True):
    items: list[RoleView]
    scopes: dict[str, str]


_NAMES: Final = {
    "viewer": ("查看者", "Viewer"),
    "marketer": ("营销人员", "Marketer"),
    "approver": ("审批人", "Approver"),
    "service_agent": ("客服", "Service agent"),
    "store_clerk": ("店员", "Store clerk"),
    "privacy_officer": ("隐私专员", "Privacy officer"),
    "admin": ("管理员", "Admin"),
}
_SPEC: Final = {
    "email": "lin@example.com",
    "name": "林悦",
    "role": "marketer",
    "brands": ["laomiao"],
}


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    return Call(
        method=method, path=path, name=name, summary=summary,
        **{"scope": ADMIN, "service": "gateway", "tag": _TAG, **more},
    )  # fmt: skip


LIST: Final = _call(
    "GET", "/v1/operators", "operators.list", "All operators", query=PAGE,
    answer=Page[OperatorView],
)  # fmt: skip
CREATE: Final = _call(
    "POST", "/v1/operators", "operators.create", "An account for somebody; its password is shown "
    "this once", body=OperatorSpec, example=_SPEC, answer=MadeOperator, status=201, creates=True,
)  # fmt: skip
SHOW: Final = _call("GET", _PATH, "operators.show", "One operator", answer=OperatorView)
UPDATE: Final = _call(
    "PATCH", _PATH, "operators.update", "Change role, brands, name, or whether they may sign in: "
    "it holds within 5 seconds, also for who is signed in", body=OperatorChange,
    example={"role": "approver"}, answer=OperatorView,
)  # fmt: skip
ERASE: Final = _call(
    "DELETE", _PATH, "operators.erase", "Erase an account: name, e-mail address, sessions",
    status=204,
)  # fmt: skip
RESET_PASSWORD: Final = _call(
    "POST", f"{_PATH}/reset-password", "operators.reset-password",
    "A temporary password; all their sessions are over", answer=TemporaryPassword, creates=True,
)  # fmt: skip
RESET_TOTP: Final = _call(
    "POST", f"{_PATH}/reset-totp", "operators.reset-totp",
    "One-time codes are no longer asked for; all their sessions are over", status=204,
)  # fmt: skip
ROLE_LIST: Final = _call(
    "GET", "/v1/roles", "roles.list", "Roles, and the scopes of each", scope=None, answer=RoleList
)


class OperatorRoutes:
    def __init__(
        self, gate: Admits, accounts: Accounts, store: OperatorStore, idempotency: Once
    ) -> None:
        self._gate = gate
        self._accounts = accounts
        self._store = store
        self._idempotency = idempotency

    async def list(self, request: Request) -> Response:
        await self._gate.admit(request, ADMIN)
        asked = page_asked(request)
        (after,) = decode_cursor(asked.cursor, tuple[CursorText]) if asked.cursor else ("",)
        found = await self._store.page(after, asked.limit + 1)
        page = found[: asked.limit]
        more = encode_cursor(page[-1].id) if len(found) > asked.limit else None
        who = await self._accounts.who([each.id for each in page])
        return json(Page([_view(each, who[each.id]) for each in page], more))

    async def create(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        raw = await read_json(request)

        async def do() -> Response:
            made = await self._accounts.create(body(OperatorSpec, raw), caller.actor)
            answer = json(MadeOperator(await self._shown(made.id), made.password), 201)
            answer.headers["location"] = f"/v1/operators/{made.id}"
            return answer

        return await self._idempotency.once(request, caller.id, raw, do)

    async def show(self, request: Request) -> Response:
        await self._gate.admit(request, ADMIN)
        return json(await self._shown(fit(request)["id"]))

    async def update(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        operator_id = fit(request)["id"]
        change = body(OperatorChange, await read_json(request))
        await self._accounts.change(operator_id, change, caller.actor)
        return json(await self._shown(operator_id))

    async def erase(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        await self._accounts.erase(fit(request)["id"], caller.actor)
        return Response(status_code=204)

    async def reset_password(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        operator_id = fit(request)["id"]

        async def do() -> Response:
            password = await self._accounts.reset_password(operator_id, caller.actor)
            return json(TemporaryPassword(password))

        return await self._idempotency.once(request, caller.id, b"", do)

    async def reset_totp(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        await self._accounts.reset_totp(fit(request)["id"], caller.actor)
        return Response(status_code=204)

    async def roles(self, request: Request) -> Response:
        await self._gate.admit(request)
        items = [
            RoleView(role, _names(role), sorted(scopes), role in OPERATOR_ROLES)
            for role, scopes in ROLES.items()
        ]
        return json(RoleList(items, dict(SCOPES)))

    async def _shown(self, operator_id: str) -> OperatorView:
        operator = await self._accounts.existing(operator_id)
        return _view(operator, (await self._accounts.who([operator_id]))[operator_id])


def _names(role: str) -> dict[str, str]:
    chinese, english = _NAMES.get(role, (role, role))
    return {"zh": chinese, "en": english}


def _view(operator: Operator, who: Who) -> OperatorView:
    ways = {"password": operator.password is not None, "identity_provider": operator.elsewhere}
    signed_in_at = operator.signed_in_at
    return OperatorView(
        operator.id,
        who.email,
        who.name,
        operator.role,
        None if operator.brands is None else sorted(operator.brands),
        operator.active,
        [way for way, open_ in ways.items() if open_],
        operator.must_change,
        operator.totp_at is not None,
        rfc3339(operator.created_at),
        operator.created_by,
        None if signed_in_at is None else rfc3339(signed_in_at),
    )
