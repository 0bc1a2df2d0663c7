"""What staff are to do."""

import uuid
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.engagement.domain.tasks import Deed
from services.engagement.refusals import no_such
from services.engagement.routes.parts import a_uuid
from services.engagement.store import reports, tasks
from services.engagement.store.tasks import Wanted
from services.engagement.taskboard import Taskboard
from services.engagement.views import task_view
from zhiyin.contracts.channels import TaskDeed
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import (
    Cursor,
    CursorInstant,
    CursorText,
    Limit,
    Page,
    body,
    decode_cursor,
    encode_cursor,
    json,
)

_Text = Annotated[str | None, Query(max_length=128)]


def task_routes(db: Database, board: Taskboard, clock: Clock) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/tasks")
    async def list_all(
        state: Literal["open", "claimed", "done"] | None = None,
        team: _Text = None,
        assignee: _Text = None,
        profile_id: _Text = None,
        overdue: bool = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> Response:
        after = decode_cursor(cursor, tuple[CursorInstant, CursorText]) if cursor else None
        async with db.connection() as connection:
            if profile_id is not None:
                profile_id = await reports.present_id(connection, profile_id)
            late = clock() if overdue else None
            wanted = Wanted(state, team, assignee, profile_id, late)
            found = await tasks.listed(connection, wanted, after, limit + 1)
        shown = found[:limit]
        more = encode_cursor(shown[-1].due_at, shown[-1].task_id) if len(found) > limit else None
        return json(Page([task_view(each, clock()) for each in shown], more))

    @router.get("/v1/tasks/{task_id}")
    async def show(task_id: str) -> Response:
        async with db.connection() as connection:
            found = await tasks.find(connection, _id(task_id))
        if found is None:
            raise no_such("task", task_id)
        return json(task_view(found, clock()))

    router.include_router(_deed_routes(board, clock))
    return router


def _deed_routes(board: Taskboard, clock: Clock) -> APIRouter:
    router = APIRouter()

    async def do(task_id: str, deed: Deed, request: Request) -> Response:
        said = body(TaskDeed, await request.body())
        return json(task_view(await board.do(_id(task_id), deed, said), clock()))

    @router.post("/v1/tasks/{task_id}/claim")
    async def claim(task_id: str, request: Request) -> Response:
        return await do(task_id, "claim", request)

    @router.post("/v1/tasks/{task_id}/hand-back")
    async def hand_back(task_id: str, request: Request) -> Response:
        return await do(task_id, "hand_back", request)

    @router.post("/v1/tasks/{task_id}/done")
    async def done(task_id: str, request: Request) -> Response:
        return await do(task_id, "done", request)

    return router


def _id(text: str) -> uuid.UUID:
    return a_uuid(text, "task")
