"""Members with what an export says of them, page by page; the gateway masks and writes it out."""

from collections.abc import Iterable
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from services.segmentation import reads
from services.segmentation.api import SegmentKey, one_segment
from services.segmentation.domain.glance import glance, look_of
from services.segmentation.reads import PackedMember
from zhiyin.contracts.exports import ExportPage, ExportRow
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import from_minor
from zhiyin.contracts.profiles import Attribute, Facts
from zhiyin.facts import lifecycle, rfm
from zhiyin.facts.reach import marketing_channels
from zhiyin.rules import Options
from zhiyin.runtime.db import Database

MOST: Final = 1_000
_LOOK: Final = look_of(["identifiers", "consents", "activity", "browse", "attributes", "orders"])
_NAMES: Final = ("name", "full_name", "姓名")
_After = Annotated[str, Query(pattern=r"^[^\x00]*$", max_length=200)]
_Limit = Annotated[int, Query(ge=1, le=MOST)]


def export_routes(database: Database, options: Options) -> APIRouter:
    router = APIRouter()

    @router.get("/internal/segments/{key}/people")
    async def people(key: SegmentKey, after: _After = "", limit: _Limit = MOST) -> Response:
        await one_segment(database, key)
        async with database.connection() as connection:
            now = await reads.now(connection)
            found = await reads.packed_members(connection, key, after, limit)
        more = found[-1].profile_id if len(found) == limit else None
        page = ExportPage([_row(one, now, options) for one in found], more)
        return Response(msgspec.msgpack.encode(page), media_type="application/msgpack")

    return router


def _row(member: PackedMember, now: Instant, options: Options) -> ExportRow:
    snapshot = glance(member.snapshot, _LOOK)
    facts = snapshot.facts
    scores = rfm(facts, now, options.rfm)
    return ExportRow(
        profile_id=member.profile_id,
        since=member.since,
        rule_version=member.rule_version,
        member_id=min(facts.identifiers.get("member_id", ()), default=None),
        phones=facts.identifiers.get("phone", {}),
        emails=facts.identifiers.get("email", {}),
        name=_text(facts, _NAMES),
        city=_text(facts, ("city",)),
        orders=facts.orders.count,
        spent=from_minor(facts.orders.total, options.currency),
        last_order_at=facts.orders.last_at,
        r=scores.r,
        f=scores.f,
        m=scores.m,
        rfm_class=scores.class_,
        lifecycle=lifecycle(facts, now).stage,
        channels=marketing_channels(snapshot),
    )


def _text(facts: Facts, names: Iterable[str]) -> str | None:
    """The first of these attributes that is a text."""
    values: list[Any] = [facts.attributes.get(name, _NOTHING).value for name in names]
    return next((value for value in values if isinstance(value, str)), None)


_NOTHING: Final = Attribute(None, "", 0, "")
