"""API keys: made, listed, revoked. Only the admin scope may."""

import secrets
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import Caller
from services.gateway.bodies import read_json
from services.gateway.calls import PAGE, Admits, Call, Once, Records, fit, page_asked
from services.gateway.domain.apikeys import RANDOM_BYTES, new_key
from services.gateway.domain.scopes import ADMIN, ROLES, SCOPES, unknown_scopes
from services.gateway.stores.audit import Entry
from services.gateway.stores.keys import KeyStore, StoredKey
from zhiyin.contracts.instants import moment
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import FieldError, Problem, current_trace
from zhiyin.runtime.web import CursorText, Page, body, decode_cursor, encode_cursor, json

_TAG: Final = "operations"


class KeySpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`scopes` and those of `role` together; at least one in all."""

    scopes: list[str] = []
    role: str | None = None
    name: Annotated[str, Meta(max_length=200)] = ""
    expires_at: datetime | None = None


class KeyView(Struct, frozen=True):
    id: str
    name: str
    role: str | None
    scopes: list[str]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class MadeKey(Struct, frozen=True):
    """`key` is shown this once."""

    id: str
    key: str
    scopes: list[str]
    name: str = ""
    role: str | None = None
    expires_at: datetime | None = None


LIST: Final = Call(
    method="GET", path="/v1/keys", scope=ADMIN, service="gateway", name="keys.list",
    summary="All keys, revoked ones too", tag=_TAG, answer=Page[KeyView], query=PAGE,
)  # fmt: skip
CREATE: Final = Call(
    method="POST", path="/v1/keys", scope=ADMIN, service="gateway", name="keys.create",
    summary="Make a key; it is shown this once", tag=_TAG, body=KeySpec, answer=MadeKey,
    status=201, creates=True, example={"name": "小程序", "scopes": ["profiles:read"]},
)  # fmt: skip
REVOKE: Final = Call(
    method="DELETE", path="/v1/keys/{id}", scope=ADMIN, service="gateway", name="keys.revoke",
    summary="Revoke a key: within 5 seconds it works nowhere", tag=_TAG, status=204,
)  # fmt: skip


class KeyRoutes:
    def __init__(
        self, gate: Admits, keys: KeyStore, audit: Records, idempotency: Once, clock: Clock
    ) -> None:
        self._gate = gate
        self._keys = keys
        self._audit = audit
        self._idempotency = idempotency
        self._clock = clock

    async def list(self, request: Request) -> Response:
        await self._gate.admit(request, ADMIN)
        asked = page_asked(request)
        (after,) = decode_cursor(asked.cursor, tuple[CursorText]) if asked.cursor else ("",)
        found = await self._keys.page(after, asked.limit + 1)
        more = encode_cursor(found[asked.limit - 1].id) if len(found) > asked.limit else None
        return json(Page([_view(key) for key in found[: asked.limit]], more))

    async def create(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        raw = await read_json(request)

        async def do() -> Response:
            return await self._create(caller, body(KeySpec, raw))

        return await self._idempotency.once(request, caller.key_id, raw, do)

    async def revoke(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        key_id = fit(request)["id"]
        trace_id = current_trace.get()
        await self._audit.record(Entry(caller.actor, "keys.revoke", key_id, {}, trace_id))
        if not await self._keys.revoke(key_id, moment(self._clock())):
            raise Problem(404, "unknown_key", "there is no such key")
        return Response(status_code=204)

    async def _create(self, caller: Caller, spec: KeySpec) -> Response:
        now = moment(self._clock())
        made = await make_key(self._keys, self._audit, spec, caller.actor, now)
        return json(made, 201)


async def make_key(
    keys: KeyStore, audit: Records, spec: KeySpec, actor: str, now: datetime
) -> MadeKey:
    """Make a key, put that on record and store it. Its text exists nowhere but in the answer.
    Raises Problem (422) for scopes that do not exist and for a time that has passed."""
    if spec.expires_at is not None and _passed(spec.expires_at, now):
        raise _invalid("/expires_at", "a time in the future, with its offset")
    scopes = checked_scopes(spec)
    new = new_key(secrets.token_bytes(RANDOM_BYTES))
    detail = {"scopes": ",".join(sorted(scopes)), "name": spec.name}
    await audit.record(Entry(actor, "keys.create", new.id, detail, current_trace.get()))
    await keys.add(
        StoredKey(new.id, new.digest, spec.name, spec.role, scopes, actor, now, spec.expires_at)
    )
    return MadeKey(new.id, new.text, sorted(scopes), spec.name, spec.role, spec.expires_at)


def checked_scopes(spec: KeySpec) -> frozenset[str]:
    """All scopes of a spec. Raises Problem (422) when there are none or unknown ones."""
    if spec.role is not None and spec.role not in ROLES:
        raise _invalid("/role", f"roles are {', '.join(ROLES)}")
    if unknown := unknown_scopes(spec.scopes):
        known = ", ".join(SCOPES)
        raise _invalid("/scopes", f"unknown scope {', '.join(unknown)}; scopes are {known}")
    scopes = frozenset(spec.scopes) | (ROLES[spec.role] if spec.role else frozenset())
    if not scopes:
        raise _invalid("/scopes", "a key needs at least one scope, or a role")
    return scopes


def _passed(at: datetime, now: datetime) -> bool:
    return at.tzinfo is None or at <= now


def _view(key: StoredKey) -> KeyView:
    return KeyView(
        key.id,
        key.name,
        key.role,
        sorted(key.scopes),
        key.created_by,
        key.created_at,
        key.expires_at,
        key.revoked_at,
    )


def _invalid(pointer: str, message: str) -> Problem:
    return Problem(422, "invalid", message, errors=[FieldError(pointer, "invalid", message)])
