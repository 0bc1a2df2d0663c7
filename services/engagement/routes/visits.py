"""Visits to links of ours, handed on by the gateway; surveys as operators keep them."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.engagement.refusals import no_such
from services.engagement.routes.parts import Key, page_of
from services.engagement.settings_editor import SettingsEditor
from services.engagement.store import surveys
from services.engagement.visits import Visits
from zhiyin.contracts.surveys import SurveySpec
from zhiyin.contracts.visits import Visit
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import Cursor, Limit, body, json


def visit_routes(visits: Visits) -> APIRouter:
    router = APIRouter()

    @router.post("/internal/visits")
    async def take(request: Request) -> Response:
        return json(await visits.take(body(Visit, await request.body())))

    return router


def survey_routes(db: Database, editor: SettingsEditor) -> APIRouter:
    router = APIRouter()

    async def shown(key: str, spec: SurveySpec) -> dict[str, Any]:
        async with db.connection() as connection:
            sent, answers = await surveys.answers(connection, key)
        counted = {each.key: answers.get(each.key, 0) for each in spec.reasons}
        return {"key": key, **msgspec.to_builtins(spec), "sent": sent, "answers": counted}

    @router.get("/v1/surveys")
    async def list_all(limit: Limit = 100, cursor: Cursor = None) -> Response:
        async with db.connection() as connection:
            found = await surveys.all_of(connection)
        return json(page_of([(key, await shown(key, spec)) for key, spec in found], limit, cursor))

    @router.get("/v1/surveys/{key}")
    async def show(key: Key) -> Response:
        async with db.connection() as connection:
            spec = await surveys.find(connection, key)
        if spec is None:
            raise no_such("survey", key)
        return json(await shown(key, spec))

    @router.put("/v1/surveys/{key}")
    async def put(key: Key, request: Request) -> Response:
        spec = body(SurveySpec, await request.body())
        await editor.put_survey(key, spec)
        return json(await shown(key, spec))

    return router
