"""`GET /v1/segments/{key}/export`: the members as a file, written while they are read."""

from collections.abc import AsyncIterator
from typing import Annotated, Final, Literal
from urllib.parse import quote

from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from services.gateway.auth import Caller
from services.gateway.calls import Admits, Asks, Call, Query, Records, asking_of, fit, passed_on
from services.gateway.domain.exported import BARE, CSV, FULL, PARQUET, Clear, bare, full, writer
from services.gateway.domain.scopes import PROFILES_READ, PROFILES_READ_PII, SEGMENTS_READ
from services.gateway.people import Asking
from services.gateway.stores.audit import Entry
from services.gateway.unmasking import Reveals
from services.gateway.upstreams import SEGMENTATION, Answer, Asked
from zhiyin.contracts.exports import ExportPage, ExportRow, decode_export_page
from zhiyin.runtime.problems import Problem, current_trace
from zhiyin.runtime.web import convert

_ACTION: Final = "segments.export"
_READ: Final = "profile.read_unmasked"
_PAGE: Final = 1_000
_PAGE_SECONDS: Final = 60.0
_MEDIA: Final = {"csv": CSV, "parquet": PARQUET}

CALL: Final = Call(
    method="GET",
    path="/v1/segments/{key}/export",
    scope=SEGMENTS_READ,
    service=SEGMENTATION,
    name=_ACTION,
    summary="The members as a file; columns by scope: without profiles:read ids alone, without"
    " profiles:read_pii phone, email and name masked",
    tag="segments",
    query=(
        Query("format", "of the file", {"type": "string", "enum": list(_MEDIA), "default": "csv"}),
        Query("reason", "why personal values are looked at; goes on record"),
    ),
    media=(CSV, PARQUET),
)


class ExportAsked(Struct, frozen=True):
    format: Literal["csv", "parquet"] = "csv"
    reason: Annotated[str, Meta(max_length=500)] = ""


class ExportRoutes:
    def __init__(self, gate: Admits, upstreams: Asks, vault: Reveals, audit: Records) -> None:
        self._gate = gate
        self._upstreams = upstreams
        self._vault = vault
        self._audit = audit

    async def export(self, request: Request) -> Response:
        """The first page is read before anything is answered, so that what is wrong with the
        request is still told; what fails later breaks the download off."""
        caller = await self._gate.admit(request, SEGMENTS_READ)
        key = fit(request)["key"]
        wanted = convert(ExportAsked, dict(request.query_params))
        asking = asking_of(request, caller)
        answer = await self._page(key, "", asking)
        if answer.status != 200:
            return passed_on(answer)
        detail = {"format": wanted.format, "why": wanted.reason, "sees": _sees(caller)}
        await self._audit.record(
            Entry(caller.actor, _ACTION, request.url.path, detail, current_trace.get())
        )
        first = decode_export_page(answer.body)
        name = quote(f"{key}.{wanted.format}", safe="")
        return StreamingResponse(
            self._file(key, first, caller, wanted, asking),
            media_type=_MEDIA[wanted.format],
            headers={"content-disposition": f"attachment; filename*=UTF-8''{name}"},
        )

    async def _file(
        self, key: str, page: ExportPage, caller: Caller, wanted: ExportAsked, asking: Asking
    ) -> AsyncIterator[bytes]:
        sees = _sees(caller)
        into = writer(_MEDIA[wanted.format], BARE if sees == "ids" else FULL)
        yield into.start()
        while True:
            if sees == "ids":
                yield into.group([bare(row) for row in page.rows])
            else:
                clear = None
                if sees == "all":
                    clear = await self._in_clear(page.rows, caller, wanted.reason)
                yield into.group([full(row, clear) for row in page.rows])
            if page.after is None:
                break
            answer = await self._page(key, page.after, asking)
            if answer.status != 200:
                raise Problem(502, "upstream_failed", "the export broke off")
            page = decode_export_page(answer.body)
        yield into.end()

    async def _page(self, key: str, after: str, asking: Asking) -> Answer:
        target = f"/internal/segments/{quote(key, safe='')}/people?limit={_PAGE}"
        return await self._upstreams.ask(
            SEGMENTATION,
            Asked(
                method="GET",
                target=f"{target}&after={quote(after, safe='')}",
                actor=asking.actor,
                traceparent=asking.traceparent,
                accept="application/msgpack",
                timeout=_PAGE_SECONDS,
            ),
        )

    async def _in_clear(self, rows: list[ExportRow], caller: Caller, why: str) -> Clear:
        """Each person's reading is on record before anything of the page is opened."""
        if not rows:
            return {}
        detail = {"why": why} if why else {}
        trace = current_trace.get()
        await self._audit.record_all(
            [Entry(caller.actor, _READ, row.profile_id, detail, trace) for row in rows]
        )
        phones = [token for row in rows for token in row.phones]
        emails = [token for row in rows for token in row.emails]
        return {
            "phone": await self._vault.reveal("phone", phones) if phones else {},
            "email": await self._vault.reveal("email", emails) if emails else {},
        }


def _sees(caller: Caller) -> str:
    """`ids`, `masked` or `all`."""
    if caller.may(PROFILES_READ_PII):
        return "all"
    return "masked" if caller.may(PROFILES_READ) else "ids"
