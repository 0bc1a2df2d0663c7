"""Templates, channels and pressure."""

from typing import Any

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.engagement.previews import Previews
from services.engagement.refusals import no_such
from services.engagement.routes.parts import Key, page_of
from services.engagement.sealing import Sealer
from services.engagement.settings_editor import SettingsEditor
from services.engagement.store import settings
from services.engagement.store.settings import StoredChannel
from services.engagement.views import channel_view
from zhiyin.contracts.campaigns import (
    DEFAULT_PRESSURE,
    ChannelSpec,
    MessageTemplateSpec,
    PressureSpec,
)
from zhiyin.contracts.previews import PreviewSpec, SampleSpec
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import Cursor, Limit, body, json


def setting_routes(
    db: Database, editor: SettingsEditor, sealer: Sealer, previews: Previews
) -> APIRouter:
    router = APIRouter()
    router.include_router(_preview_routes(previews))
    router.include_router(_template_routes(db, editor))
    router.include_router(_channel_routes(db, editor, sealer))

    @router.get("/v1/pressure")
    async def pressure() -> Response:
        async with db.connection() as connection:
            return json(await settings.pressure(connection) or DEFAULT_PRESSURE)

    @router.put("/v1/pressure")
    async def put_pressure(request: Request) -> Response:
        spec = body(PressureSpec, await request.body())
        await editor.put_pressure(spec)
        return json(spec)

    return router


def _preview_routes(previews: Previews) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/templates/preview")
    async def draft(request: Request) -> Response:
        return json(await previews.one(None, body(PreviewSpec, await request.body())))

    @router.post("/v1/templates/{key}/preview")
    async def preview(key: Key, request: Request) -> Response:
        return json(await previews.one(key, body(PreviewSpec, await request.body())))

    @router.post("/v1/templates/{key}/check")
    async def check(key: Key, request: Request) -> Response:
        raw = await request.body()
        return json(await previews.sample(key, body(SampleSpec, raw) if raw else SampleSpec()))

    return router


def _template_routes(db: Database, editor: SettingsEditor) -> APIRouter:
    router = APIRouter()

    async def all_templates() -> dict[str, dict[str, Any]]:
        async with db.connection() as connection:
            found = await settings.templates(connection)
        return {key: {"key": key, **msgspec.to_builtins(spec)} for key, spec in found}

    @router.get("/v1/templates")
    async def list_all(limit: Limit = 100, cursor: Cursor = None) -> Response:
        return json(page_of(sorted((await all_templates()).items()), limit, cursor))

    @router.get("/v1/templates/{key}")
    async def show(key: Key) -> Response:
        found = (await all_templates()).get(key)
        if found is None:
            raise no_such("template", key)
        return json(found)

    @router.put("/v1/templates/{key}")
    async def put(key: Key, request: Request) -> Response:
        spec = body(MessageTemplateSpec, await request.body())
        await editor.put_template(key, spec)
        return json({"key": key, **msgspec.to_builtins(spec)})

    return router


def _channel_routes(db: Database, editor: SettingsEditor, sealer: Sealer) -> APIRouter:
    router = APIRouter()

    def shown(channel: StoredChannel) -> dict[str, Any]:
        config = msgspec.json.decode(sealer.open(channel.config, channel.name))
        return channel_view(channel, config)

    async def all_channels() -> dict[str, dict[str, Any]]:
        async with db.connection() as connection:
            return {each.name: shown(each) for each in await settings.channels(connection)}

    @router.get("/v1/channels")
    async def list_all(limit: Limit = 100, cursor: Cursor = None) -> Response:
        return json(page_of(sorted((await all_channels()).items()), limit, cursor))

    @router.get("/v1/channels/{name}")
    async def show(name: str) -> Response:
        found = (await all_channels()).get(name)
        if found is None:
            raise no_such("channel", name)
        return json(found)

    @router.put("/v1/channels/{key}")
    async def put(key: Key, request: Request) -> Response:
        """A secret is in the answer only when the platform has just made it."""
        made = await editor.put_channel(key, body(ChannelSpec, await request.body()))
        return json((await all_channels())[key] | made)

    return router
