"""Tag rules over HTTP, for the gateway."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.profile import tag_rules
from services.profile.editor import Editor, no_rule
from zhiyin.contracts.tag_rules import TagName, TagRuleSpec
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import (
    Cursor,
    CursorText,
    Limit,
    Page,
    body,
    convert,
    decode_cursor,
    encode_cursor,
    json,
)


def tag_rule_routes(database: Database, editor: Editor) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/tag-rules")
    async def listed(limit: Limit = 100, cursor: Cursor = None) -> Response:
        after = "" if cursor is None else decode_cursor(cursor, tuple[CursorText])[0]
        async with database.connection() as connection:
            rules = await tag_rules.page(connection, after, limit + 1)
        page = rules[:limit]
        return json(Page(page, encode_cursor(page[-1].tag) if len(rules) > limit else None))

    @router.get("/v1/tag-rules/{tag}")
    async def show(tag: str) -> Response:
        async with database.connection() as connection:
            stored = await tag_rules.find(connection, tag_name(tag))
        if stored is None or stored.deleted:
            raise no_rule(tag)
        return json(stored.view)

    @router.put("/v1/tag-rules/{tag}")
    async def put(request: Request, tag: str) -> Response:
        """200 for a new version, 201 for a new rule."""
        spec = body(TagRuleSpec, await request.body())
        view, new = await editor.put(tag_name(tag), spec)
        return json(view, 201 if new else 200)

    @router.delete("/v1/tag-rules/{tag}")
    async def delete(tag: str) -> Response:
        await editor.delete(tag_name(tag))
        return Response(status_code=204)

    return router


def tag_name(tag: str) -> str:
    return convert(TagName, tag, code="invalid_tag")
