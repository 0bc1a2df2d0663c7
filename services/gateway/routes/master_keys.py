"""The vault's master key: which is in force, and the change to a newer one."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Final

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.bodies import read_json
from services.gateway.calls import Admits, Call, Records
from services.gateway.domain.health import Told
from services.gateway.domain.scopes import ADMIN
from services.gateway.sealing import Sealer
from services.gateway.stores.audit import Entry
from services.gateway.stores.master_keys import MasterKeyStore
from zhiyin.contracts.instants import instant, rfc3339
from zhiyin.runtime.problems import FieldError, Problem, current_trace
from zhiyin.runtime.web import body, json

_PATH: Final = "/v1/master-key"


class RotateSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """The version to seal under from now on: newer than the one in force."""

    version: Annotated[int, Meta(ge=1, le=1_000_000)]


class MasterKeyView(Struct, frozen=True):
    """`values`: how many values of the vault are under each version. Once `rewrapped_at` is set,
    all are under `version`, and older keys may be taken away after a day (answers kept for
    `Idempotency-Key` live so long)."""

    version: int
    used_since: str
    rewrapped_at: str | None
    at_hand: tuple[int, ...]
    values: dict[str, int]


SHOW: Final = Call(
    method="GET", path=_PATH, scope=ADMIN, service="gateway", name="master-key.show",
    summary="Which master key the vault seals under", tag="operations", answer=MasterKeyView,
)  # fmt: skip
ROTATE: Final = Call(
    method="POST", path=_PATH + "/rotate", scope=ADMIN, service="gateway",
    name="master-key.rotate", summary="Seal under a newer master key, wrap older data keys anew",
    tag="operations", body=RotateSpec, example={"version": 2}, answer=MasterKeyView, status=202,
)  # fmt: skip


class MasterKeyRoutes:
    """`gateways` tells which are up, and what keys each has."""

    def __init__(
        self,
        gate: Admits,
        store: MasterKeyStore,
        sealer: Sealer,
        gateways: Callable[[], Awaitable[Sequence[Told]]],
        audit: Records,
    ) -> None:
        self._gate = gate
        self._store = store
        self._sealer = sealer
        self._gateways = gateways
        self._audit = audit

    async def show(self, request: Request) -> Response:
        await self._gate.admit(request, ADMIN)
        return json(await self._view())

    async def rotate(self, request: Request) -> Response:
        caller = await self._gate.admit(request, ADMIN)
        version = body(RotateSpec, await read_json(request)).version
        await self._check(version)
        detail = {"version": str(version)}
        entry = Entry(caller.actor, ROTATE.name, _PATH, detail, current_trace.get())
        await self._audit.record(entry)
        if not await self._store.use(version):
            raise Problem(409, "not_newer", "a master key as new, or newer, is in force already")
        self._sealer.use(version)
        return json(await self._view(), 202)

    async def _check(self, version: int) -> None:
        """Whether every gateway could open what is sealed under it. Raises Problem."""
        if version not in self._sealer.versions:
            message = "no such master key at hand: give it to every gateway in ZHIYIN_MASTER_KEYS"
            errors = [FieldError("/version", "unknown_version", message)]
            raise Problem(422, "unknown_version", message, errors=errors)
        lacking = [
            told.instance for told in await self._gateways() if version not in told.master_keys
        ]
        if lacking:
            message = f"these gateways do not have that key yet: {', '.join(lacking)}"
            raise Problem(409, "not_everywhere", message)

    async def _view(self) -> MasterKeyView:
        current = await self._store.current()
        rewrapped = current.rewrapped_at
        return MasterKeyView(
            current.version,
            rfc3339(instant(current.used_since)),
            None if rewrapped is None else rfc3339(instant(rewrapped)),
            tuple(sorted(self._sealer.versions)),
            {str(version): count for version, count in (await self._store.values()).items()},
        )
