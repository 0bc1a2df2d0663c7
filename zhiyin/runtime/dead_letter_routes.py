"""`/v1/dead-letters`: what was set aside, and its replay."""

from fastapi import APIRouter
from starlette.responses import Response

from zhiyin.runtime.answers import json
from zhiyin.runtime.cursors import Cursor, CursorNumber, Limit, Page, decode_cursor, encode_cursor
from zhiyin.runtime.db import Database
from zhiyin.runtime.dead_letters import list_dead_letters, replay
from zhiyin.runtime.problems import Problem

_LARGEST_ID = 2**63 - 1


def dead_letter_routes(database: Database) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/dead-letters")
    async def dead_letters(limit: Limit = 50, cursor: Cursor = None) -> Response:
        (before,) = (None,) if cursor is None else decode_cursor(cursor, tuple[CursorNumber])
        async with database.connection() as connection:
            items = await list_dead_letters(connection, before, limit)
        following = encode_cursor(items[-1].id) if len(items) == limit else None
        return json(Page(items, following))

    @router.post("/v1/dead-letters/{id_}/replay")
    async def replayed(id_: int) -> Response:
        if not 0 < id_ <= _LARGEST_ID:
            raise Problem(404, "not_found", "there is no such dead letter")
        async with database.transaction() as tx:
            done = await replay(tx, id_)
            known = await tx.fetchval("SELECT 1 FROM dead_letter WHERE id = $1", id_)
        if not known:
            raise Problem(404, "not_found", "there is no such dead letter")
        return json({"id": id_, "replayed": done, "already": not done}, 202 if done else 200)

    return router
