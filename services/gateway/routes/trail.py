"""The audit trail: read, its head to be kept elsewhere, checked for changes."""

from datetime import datetime
from typing import Annotated, Final, Literal

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import PAGE, Admits, Call, PageAsked, Query, fit
from services.gateway.domain.chain import START, Audited, Link
from services.gateway.domain.scopes import AUDIT_READ, OPS_READ
from services.gateway.stores.audit import AuditTrail, Sought
from services.gateway.verifying import verify
from zhiyin.contracts.instants import Instant, instant, rfc3339
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.web import convert, decode_cursor, encode_cursor, json

_NEWEST: Final = 2**63 - 1
_SECONDS: Final = 5.0
_TAG: Final = "operations"
_Seq = Annotated[int, Meta(ge=0, le=_NEWEST)]
_Hash = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
_Text = Annotated[str, Meta(max_length=512)]


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


class FaultView(Struct, frozen=True):
    """The first entry that is not as it was written: deleted (`missing`), changed (`altered`),
    moved or put in (`unlinked`), cut off before the kept head (`cut_off`), or not of the trail
    whose head was kept (`rewritten`)."""

    seq: int
    code: Literal["missing", "altered", "unlinked", "cut_off", "rewritten"]


class VerdictView(Struct, frozen=True):
    """`complete` false without a fault: call again with `from_seq`, `from_hash` of `through`."""

    intact: bool
    complete: bool
    through: Head
    fault: FaultView | None


class _Asked(PageAsked, frozen=True):
    actor: _Text | None = None
    subject: _Text | None = None
    action: _Text | None = None
    since: datetime | None = None
    until: datetime | None = None


class _Checked(Struct, frozen=True):
    head_seq: _Seq | None = None
    head_hash: _Hash | None = None
    from_seq: _Seq | None = None
    from_hash: _Hash | None = None


_TIME: Final = {"type": "string", "format": "date-time"}
_NUMBER: Final = {"type": "integer", "minimum": 0, "maximum": _NEWEST}
_DIGEST: Final = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
LIST: Final = Call(
    method="GET", path="/v1/audit", scope=OPS_READ, or_scope=AUDIT_READ, service="gateway",
    name="audit.list", summary="Who did what, newest first", tag=_TAG, answer=AuditPage,
    query=(
        *PAGE,
        Query("actor", "only what they did, as `key:<id>` or `operator:<id>`"),
        Query("subject", "only what was done to this"),
        Query("action", "only this kind, as `profile.read_unmasked`"),
        Query("since", "from this instant on", _TIME),
        Query("until", "before this instant", _TIME),
    ),
)  # fmt: skip
HEAD: Final = Call(
    method="GET", path="/v1/audit/head", scope=OPS_READ, or_scope=AUDIT_READ, service="gateway",
    name="audit.head", summary="The newest entry's number and hash, to be kept elsewhere",
    tag=_TAG, answer=Head,
)  # fmt: skip
VERIFY: Final = Call(
    method="GET", path="/v1/audit/verify", scope=OPS_READ, or_scope=AUDIT_READ, service="gateway",
    name="audit.verify", summary="Whether the trail is as it was written", tag=_TAG,
    answer=VerdictView,
    query=(
        Query("head_seq", "of a head kept earlier", _NUMBER),
        Query("head_hash", "of a head kept earlier", _DIGEST),
        Query("from_seq", "where an earlier check got to", _NUMBER),
        Query("from_hash", "where an earlier check got to", _DIGEST),
    ),
)  # fmt: skip


class AuditRoutes:
    def __init__(self, gate: Admits, trail: AuditTrail) -> None:
        self._gate = gate
        self._trail = trail

    async def list(self, request: Request) -> Response:
        await self._gate.admit(request, *LIST.scopes)
        fit(request)
        asked = convert(_Asked, dict(request.query_params))
        (before,) = decode_cursor(asked.cursor, tuple[_Seq]) if asked.cursor else (_NEWEST,)
        found = await self._trail.page(before, asked.limit + 1, _sought(asked))
        page = found[: asked.limit]
        more = encode_cursor(page[-1].seq) if len(found) > asked.limit else None
        return json(
            AuditPage([_view(each) for each in page], more, _head(await self._trail.head()))
        )

    async def head(self, request: Request) -> Response:
        await self._gate.admit(request, *HEAD.scopes)
        return json(_head(await self._trail.head()))

    async def verify(self, request: Request) -> Response:
        await self._gate.admit(request, *VERIFY.scopes)
        fit(request)
        asked = convert(_Checked, dict(request.query_params))
        kept = _link(asked.head_seq, asked.head_hash, "head")
        place = _link(asked.from_seq, asked.from_hash, "from") or START
        verdict = await verify(self._trail, kept, place, seconds=_SECONDS)
        fault = None
        if verdict.fault is not None:
            fault = FaultView(verdict.fault.seq, verdict.fault.code)
        return json(VerdictView(fault is None, verdict.complete, _head(verdict.through), fault))


def _sought(asked: _Asked) -> Sought:
    since = _instant(asked.since, "/since")
    return Sought(asked.actor, asked.subject, asked.action, since, _instant(asked.until, "/until"))


def _instant(at: datetime | None, pointer: str) -> Instant | None:
    try:
        return None if at is None else instant(at)
    except ValueError as error:
        raise _invalid(pointer, str(error)) from error


def _link(seq: int | None, digest: str | None, name: str) -> Link | None:
    if seq is None and digest is None:
        return None
    if seq is None or digest is None:
        missing = "seq" if seq is None else "hash"
        raise _invalid(f"/{name}_{missing}", f"{name}_seq and {name}_hash belong together")
    return Link(seq, bytes.fromhex(digest))


def _head(link: Link) -> Head:
    return Head(link.seq, link.hash.hex())


def _invalid(pointer: str, message: str) -> Problem:
    return Problem(422, "invalid", message, errors=[FieldError(pointer, "invalid", message)])


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
