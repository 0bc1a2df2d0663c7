"""A person's inbox, as the brand's app shows it."""

from fastapi import APIRouter
from starlette.responses import Response

from services.engagement.mailroom import Mailroom
from services.engagement.routes.parts import ProfileId, a_uuid
from services.engagement.store import inbox, reports
from services.engagement.views import letter_view
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import (
    Cursor,
    CursorInstant,
    CursorText,
    Limit,
    decode_cursor,
    encode_cursor,
    json,
)


def inbox_routes(db: Database, mailroom: Mailroom, clock: Clock) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/profiles/{profile_id}/inbox")
    async def letters(
        profile_id: ProfileId, unread: bool = False, limit: Limit = 50, cursor: Cursor = None
    ) -> Response:
        before = decode_cursor(cursor, tuple[CursorInstant, CursorText]) if cursor else None
        now = clock()
        async with db.connection() as connection:
            who = await reports.present_id(connection, profile_id)
            found = await inbox.of_person(connection, who, now, before, limit + 1, unread=unread)
            unread_count = await inbox.unread_count(connection, who, now)
        shown = found[:limit]
        more = encode_cursor(shown[-1].at, shown[-1].action_id) if len(found) > limit else None
        items = [letter_view(each) for each in shown]
        return json({"items": items, "next_cursor": more, "unread": unread_count})

    async def mark(profile_id: str, message_id: str, *, clicked: bool) -> Response:
        wanted = a_uuid(message_id, "message")
        letter = await mailroom.mark(profile_id, wanted, clicked=clicked)
        return json(letter_view(letter))

    @router.post("/v1/profiles/{profile_id}/inbox/{message_id}/read")
    async def read(profile_id: ProfileId, message_id: str) -> Response:
        return await mark(profile_id, message_id, clicked=False)

    @router.post("/v1/profiles/{profile_id}/inbox/{message_id}/click")
    async def click(profile_id: ProfileId, message_id: str) -> Response:
        return await mark(profile_id, message_id, clicked=True)

    return router
