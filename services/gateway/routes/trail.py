"""The audit trail, read."""

from typing import Annotated, Final

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import PAGE, Admits, Call, Query, page_asked
from services.gateway.domain.scopes import OPS_READ
from services.gateway.stores.audit import Audited, AuditTrail
from zhiyin.contracts.instants import rfc3339
from zhiyin.runtime.web import decode_cursor, encode_cursor, json

_NEWEST: Final = 2**63 - 1
_Seq = Annotated[int, Meta(ge=0, le=_NEWEST)]


class AuditView(Struct, frozen=True):
    """`hash` = SHA-256 of `prev_hash` and what the entry says: changing one breaks all after."""

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    detail: dict[str, str]
    trace_id: str
    prev_hash: str
    hash: str


class Head(Struct, frozen=True):
    """Keep it elsewhere: with it, entries cut off the end are missed."""

    seq: int
    hash: str


class AuditPage(Struct, frozen=True):
    items: list[AuditView]
    next_cursor: str | None
    head: Head


LIST: Final = Call(
    method="GET",
    path="/v1/audit",
    scope=OPS_READ,
    service="gateway",
    name="audit.list",
    summary="Who did what, newest first",
    tag="operations",
    answer=AuditPage,
    query=(
        *PAGE,
        Query("actor", "only what this key did, as key:<id>"),
        Query("subject", "only what was done to this"),
    ),
)


class AuditRoutes:
    def __init__(self, gate: Admits, trail: AuditTrail) -> None:
        self._gate = gate
        self._trail = trail

    async def list(self, request: Request) -> Response:
        await self._gate.admit(request, OPS_READ)
        asked = page_asked(request)
        (before,) = decode_cursor(asked.cursor, tuple[_Seq]) if asked.cursor else (_NEWEST,)
        chosen = (request.query_params.get("actor"), request.query_params.get("subject"))
        found = await self._trail.page(before, asked.limit + 1, *chosen)
        page = found[: asked.limit]
        more = encode_cursor(page[-1].seq) if len(found) > asked.limit else None
        seq, digest = await self._trail.head()
        return json(AuditPage([_view(each) for each in page], more, Head(seq, digest.hex())))


def _view(link: Audited) -> AuditView:
    entry = link.entry
    return AuditView(
        link.seq,
        rfc3339(link.at),
        entry.actor,
        entry.action,
        entry.subject,
        entry.detail,
        entry.trace_id,
        link.prev_hash.hex(),
        link.hash.hex(),
    )
