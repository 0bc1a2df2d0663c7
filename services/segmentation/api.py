"""The HTTP side of segmentation: definitions, members, and what a person belongs to."""

import re
import uuid
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request
from msgspec.structs import replace
from starlette.responses import Response

from services.segmentation import reads
from services.segmentation.editor import Editor, not_found
from services.segmentation.explain import explain, no_profile
from services.segmentation.given_rules import given_rule
from services.segmentation.moves import moves
from services.segmentation.views import member_view, move_view, segment_view, size_view
from zhiyin.contracts.segments import (
    KEY_PATTERN,
    SegmentHistory,
    SegmentSpec,
    SegmentUpdate,
    SegmentView,
)
from zhiyin.rules import Options
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
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

_DAYS_SHOWN: Final = 400
_KEY: Final = re.compile(KEY_PATTERN)


def existing_key(key: str) -> str:
    """Only what can be a key gets as far as the database."""
    if not _KEY.fullmatch(key):
        raise not_found(key)
    return key


def possible_profile_id(profile_id: str) -> str:
    if "\0" in profile_id:
        raise no_profile(profile_id)
    return profile_id


SegmentKey = Annotated[str, Depends(existing_key)]
ProfileId = Annotated[str, Depends(possible_profile_id)]


async def one_segment(database: Database, key: str) -> SegmentView:
    """Raises Problem (404)."""
    async with database.connection() as connection:
        rows = await reads.segments(connection, key)
    if not rows:
        raise not_found(key)
    return segment_view(rows[0])


def definition_routes(database: Database, editor: Editor) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/segments")
    async def create(request: Request) -> Response:
        spec = body(SegmentSpec, await request.body())
        given = given_rule(spec.rule, spec.text)
        with given.pointing():
            await editor.create(replace(spec, rule=given.tree, text=None))
        answer = json(await one_segment(database, spec.key), 201)
        answer.headers["location"] = f"/v1/segments/{spec.key}"
        return answer

    @router.get("/v1/segments")
    async def list_all() -> Response:
        async with database.connection() as connection:
            rows = await reads.segments(connection)
        return json(Page([segment_view(row) for row in rows]))

    @router.get("/v1/segments/{key}")
    async def show(key: SegmentKey) -> Response:
        return json(await one_segment(database, key))

    @router.put("/v1/segments/{key}")
    async def update(key: SegmentKey, request: Request) -> Response:
        given = body(SegmentUpdate, await request.body())
        if given.key not in (None, key):
            message = f"the key is {key} and cannot be changed"
            error = FieldError("/key", "key_mismatch", message)
            raise Problem(422, "key_mismatch", message, errors=[error])
        rule = given_rule(given.rule, given.text)
        spec = SegmentSpec(key, given.name, rule.tree, given.description, given.trigger_entries)
        with rule.pointing():
            await editor.update(spec)
        return json(await one_segment(database, key))

    @router.delete("/v1/segments/{key}")
    async def delete(key: SegmentKey) -> Response:
        await editor.delete(key)
        return Response(status_code=204)

    return router


def member_routes(database: Database, options: Options) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/segments/{key}/members")
    async def members(key: SegmentKey, limit: Limit = 100, cursor: Cursor = None) -> Response:
        await one_segment(database, key)
        (after,) = decode_cursor(cursor, tuple[CursorText]) if cursor else ("",)
        async with database.connection() as connection:
            found = await reads.members(connection, key, after, limit + 1)
        page = found[:limit]
        more = encode_cursor(page[-1].profile_id) if len(found) > limit else None
        return json(Page([member_view(one) for one in page], more))

    @router.get("/v1/segments/{key}/history")
    async def history(key: SegmentKey, limit: Limit = 100, cursor: Cursor = None) -> Response:
        await one_segment(database, key)
        before = decode_cursor(cursor, tuple[CursorInstant, uuid.UUID]) if cursor else None
        async with database.connection() as connection:
            found = await moves(connection, key, before, limit + 1)
            days = await reads.sizes(connection, key, _DAYS_SHOWN)
        page = found[:limit]
        last = page[-1] if len(found) > limit else None
        more = encode_cursor(last.decided_at, last.id) if last else None
        return json(
            SegmentHistory([move_view(one) for one in page], more, [size_view(one) for one in days])
        )

    @router.get("/v1/segments/{key}/explain/{profile_id}")
    async def why(key: SegmentKey, profile_id: ProfileId) -> Response:
        return json(await explain(database, options, key, profile_id))

    return router
