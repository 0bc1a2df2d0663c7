"""What holds for all experiments, and what all marketing brought."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.engagement.catalogs import Catalogs
from services.engagement.measuring import everything
from services.engagement.settings_editor import SettingsEditor
from services.engagement.store import settings
from zhiyin.contracts.campaigns import ExperimentsSpec
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import body, json


def experiment_routes(
    db: Database, editor: SettingsEditor, catalogs: Catalogs, currency: str, clock: Clock
) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/experiments")
    async def show() -> Response:
        async with db.connection() as connection:
            return json(await settings.experiments(connection))

    @router.put("/v1/experiments")
    async def put(request: Request) -> Response:
        spec = body(ExperimentsSpec, await request.body())
        await editor.put_experiments(spec)
        return json(spec)

    @router.get("/v1/experiments/report")
    async def report() -> Response:
        async with db.connection() as connection:
            catalog = await catalogs.current(connection)
            return json(await everything(connection, catalog.experiments, clock(), currency))

    return router
