"""Campaigns: define, approve, launch, pause, end, report."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.engagement.catalogs import Catalogs
from services.engagement.editor import Editor
from services.engagement.explaining import Explainer
from services.engagement.measuring import experiment
from services.engagement.refusals import no_such, one_fault
from services.engagement.routes.brands import Brands, check, within
from services.engagement.routes.parts import Actor, Key, ProfileId, page_of
from services.engagement.store import reports, settings
from services.engagement.store.settings import StoredCampaign
from services.engagement.views import campaign_view, report_view
from zhiyin.contracts.campaigns import CampaignSpec, LaunchSpec
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import Cursor, Limit, body, json

_NOBODY: Final = "unknown"


def campaign_routes(
    db: Database,
    editor: Editor,
    explainer: Explainer,
    catalogs: Catalogs,
    currency: str,
    clock: Clock,
) -> APIRouter:
    router = APIRouter()
    router.include_router(_state_routes(editor))

    @router.post("/v1/campaigns")
    async def create(request: Request, brands: Brands, actor: Actor = _NOBODY) -> Response:
        spec = body(CampaignSpec, await request.body())
        check(spec, brands)
        answer = json(campaign_view(await editor.create(spec, actor)), 201)
        answer.headers["location"] = f"/v1/campaigns/{spec.key}"
        return answer

    @router.get("/v1/campaigns")
    async def list_all(brands: Brands, limit: Limit = 100, cursor: Cursor = None) -> Response:
        async with db.connection() as connection:
            found = await settings.campaigns(connection)
        own = [(each.spec.key, campaign_view(each)) for each in found if within(each.spec, brands)]
        return json(page_of(own, limit, cursor))

    @router.get("/v1/campaigns/{key}")
    async def show(key: Key) -> Response:
        async with db.connection() as connection:
            found = await _existing(connection, key)
            return json(campaign_view(found, await settings.history(connection, key)))

    @router.put("/v1/campaigns/{key}")
    async def update(
        key: Key, request: Request, brands: Brands, actor: Actor = _NOBODY
    ) -> Response:
        spec = body(CampaignSpec, await request.body())
        check(spec, brands)
        if spec.key != key:
            raise one_fault("/key", "key_mismatch", f"the key is {key} and cannot be changed")
        return json(campaign_view(await editor.update(spec, actor)))

    @router.get("/v1/campaigns/{key}/explain/{profile_id}")
    async def explain(key: Key, profile_id: ProfileId) -> Response:
        return json(await explainer.explain(key, profile_id))

    @router.get("/v1/campaigns/{key}/report")
    async def report(key: Key) -> Response:
        async with db.connection() as connection:
            view = report_view(
                await _existing(connection, key),
                await reports.decisions(connection, key),
                await reports.actions(connection, key),
                await reports.runs(connection, key),
                await reports.coupon_count(connection, key),
                currency,
            )
            catalog = await catalogs.current(connection)
            view["experiment"] = await experiment(
                connection, catalog.campaigns[key], catalog.experiments, clock(), currency
            )
            return json(view)

    return router


def _state_routes(editor: Editor) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/campaigns/{key}/launch")
    async def launch(key: Key, request: Request, actor: Actor = _NOBODY) -> Response:
        raw = await request.body()
        spec = body(LaunchSpec, raw) if raw.strip() else LaunchSpec()
        moved = await editor.move(
            key, "launch", actor, include_current_members=spec.include_current_members
        )
        return json(campaign_view(moved))

    @router.post("/v1/campaigns/{key}/approve")
    async def approve(key: Key, actor: Actor = _NOBODY) -> Response:
        return json(campaign_view(await editor.move(key, "approve", actor)))

    @router.post("/v1/campaigns/{key}/pause")
    async def pause(key: Key, actor: Actor = _NOBODY) -> Response:
        return json(campaign_view(await editor.move(key, "pause", actor)))

    @router.post("/v1/campaigns/{key}/end")
    async def end(key: Key, actor: Actor = _NOBODY) -> Response:
        return json(campaign_view(await editor.move(key, "end", actor)))

    return router


async def _existing(connection: Connection, key: str) -> StoredCampaign:
    found = await settings.campaign(connection, key)
    if found is None:
        raise no_such("campaign", key)
    return found
