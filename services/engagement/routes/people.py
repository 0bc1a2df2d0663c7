"""What was done for a person, what was not and why, and the coupons they hold."""

from typing import Final

from fastapi import APIRouter
from starlette.responses import Response

from services.engagement.routes.brands import Brands, hidden_from
from services.engagement.routes.parts import ProfileId
from services.engagement.store import coupons, reports
from services.engagement.views import coupon_view, item_view
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import (
    Cursor,
    CursorInstant,
    CursorText,
    Limit,
    Page,
    decode_cursor,
    encode_cursor,
    json,
)

_MOST: Final = 2**62


def people_routes(db: Database, currency: str, clock: Clock) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/profiles/{profile_id}/actions")
    async def actions(
        profile_id: ProfileId, brands: Brands, limit: Limit = 100, cursor: Cursor = None
    ) -> Response:
        before = decode_cursor(cursor, tuple[CursorInstant, CursorText]) if cursor else None
        async with db.connection() as connection:
            present = await reports.present_id(connection, profile_id)
            found = await reports.of_person(connection, present, before, limit + 1)
            hidden = await hidden_from(connection, brands)
        shown = found[:limit]
        more = encode_cursor(shown[-1].at, shown[-1].id) if len(found) > limit else None
        return json(Page([item_view(each) for each in shown if each.campaign not in hidden], more))

    @router.get("/v1/profiles/{profile_id}/coupons")
    async def held(profile_id: ProfileId, limit: Limit = 100, cursor: Cursor = None) -> Response:
        before = decode_cursor(cursor, tuple[CursorInstant, CursorText]) if cursor else None
        async with db.connection() as connection:
            present = await reports.present_id(connection, profile_id)
            found = await coupons.of_person(connection, present, before, limit + 1)
        shown = found[:limit]
        more = encode_cursor(shown[-1].issued_at, shown[-1].code) if len(found) > limit else None
        return json(Page([coupon_view(each, clock(), currency) for each in shown], more))

    return router
