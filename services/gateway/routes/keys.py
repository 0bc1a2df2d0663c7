"""API keys: made, listed, rotated, revoked. Only the admin scope may."""

from datetime import datetime
from typing import Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.bodies import read_json
from services.gateway.calls import PAGE, Admits, Call, Once, Records, fit, page_asked
from services.gateway.domain.scopes import ADMIN
from services.gateway.key_making import KeySpec, MadeKey, RotateSpec, make_key, rotate_key
from services.gateway.stores.audit import Entry
from services.gateway.stores.keys import KeyStore, StoredKey
from zhiyin.contracts.instants import moment
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem, current_trace
from zhiyin.runtime.web import CursorText, Page, body, decode_cursor, encode_cursor, json

_TAG: Final = "operations"


class KeyView(Struct, frozen=True):
    """`brands` null: campaigns of all brands; `last_used_at` is right to some seconds."""

    id: str
    name: str
    role: str | None
    scopes: list[str]
    brands: list[str] | None
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    replaced_by: str | None
    last_used_at: datetime | None


LIST: Final = Call(
    method="GET", path="/v1/keys", scope=ADMIN, service="gateway", name="keys.list",
    summary="All keys, revoked ones too", tag=_TAG, answer=Page[KeyView], query=PAGE,
)  # fmt: skip
CREATE: Final = Call(
    method="POST", path="/v1/keys", scope=ADMIN, service="gateway", name="keys.create",
    summary="Make a key; it is shown this once", tag=_TAG, body=KeySpec, answer=MadeKey,
    status=201, creates=True, example={"name": "小程序", "scopes": ["profiles:read"]},
)  # fmt: skip
ROTATE: Final = Call(
    method="POST", path="/v1/keys/{id}/rotate", scope=ADMIN, service="gateway", name="keys.rotate",
    summary="Another key with the same rights; both work for the overlap", tag=_TAG,
    body=RotateSpec, body_optional=True, answer=MadeKey, status=201, creates=True,
    example={"overlap": "24h"},
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
            spec, now = body(KeySpec, raw), moment(self._clock())
            return json(await make_key(self._keys, self._audit, spec, caller.actor, now), 201)

        return await self._idempotency.once(request, caller.id, raw, do)

    async def rotate(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        key_id = fit(request)["id"]
        raw = await read_json(request)

        async def do() -> Response:
            spec, now = body(RotateSpec, raw or b"{}"), moment(self._clock())
            made = await rotate_key(self._keys, self._audit, key_id, spec, caller.actor, now)
            return json(made, 201)

        return await self._idempotency.once(request, caller.id, raw, do)

    async def revoke(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        key_id = fit(request)["id"]
        trace_id = current_trace.get()
        await self._audit.record(Entry(caller.actor, "keys.revoke", key_id, {}, trace_id))
        if not await self._keys.revoke(key_id, moment(self._clock())):
            raise Problem(404, "unknown_key", "there is no such key")
        return Response(status_code=204)


def _view(key: StoredKey) -> KeyView:
    return KeyView(
        key.id,
        key.name,
        key.role,
        sorted(key.scopes),
        None if key.brands is None else sorted(key.brands),
        key.created_by,
        key.created_at,
        key.expires_at,
        key.revoked_at,
        key.replaced_by,
        key.last_used_at,
    )
