"""Beside the tag rules themselves: why somebody has a tag, how far a change of the rules has got,
and the library, over HTTP for the gateway."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.profile import tag_progress
from services.profile.api import ProfileId
from services.profile.editor import Editor
from services.profile.explain import Explaining
from services.profile.tag_library import install, library
from services.profile.tag_rule_api import tag_name
from zhiyin.contracts.tag_rules import InstallSpec, TagTrial
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import Page, body, json


def tagging_routes(database: Database, editor: Editor, explaining: Explaining) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/tag-rules/test")
    async def test(request: Request) -> Response:
        return json(await explaining.trial(body(TagTrial, await request.body())))

    @router.get("/v1/tag-rules/{tag}/explain/{profile_id}")
    async def why(tag: str, profile_id: ProfileId) -> Response:
        return json(await explaining.tag(tag_name(tag), profile_id))

    @router.get("/v1/tagging")
    async def progress() -> Response:
        async with database.connection() as connection:
            return json(await tag_progress.progress(connection))

    @router.get("/v1/tag-library")
    async def ready() -> Response:
        async with database.connection() as connection:
            return json(Page(await library(connection), None))

    @router.post("/v1/tag-library/install")
    async def installed(request: Request) -> Response:
        raw = await request.body()
        return json(await install(editor, body(InstallSpec, raw) if raw else InstallSpec()))

    return router
