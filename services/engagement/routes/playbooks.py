"""Ready campaigns, and word of what runs low."""

from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.engagement.playbooks import Playbooks
from services.engagement.refusals import one_fault
from services.engagement.routes.brands import Brands
from services.engagement.routes.parts import Actor, Key, page_of
from services.engagement.stock import StockAlerts
from zhiyin.contracts.playbooks import InstallPlaybookSpec, StockAlertSpec
from zhiyin.runtime.web import Cursor, Limit, body, json

_NOBODY: Final = "unknown"


def playbook_routes(playbooks: Playbooks, alerts: StockAlerts) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/playbooks")
    async def library(limit: Limit = 100, cursor: Cursor = None) -> Response:
        found = sorted((each["key"], each) for each in await playbooks.shown())
        return json(page_of(found, limit, cursor))

    @router.get("/v1/playbooks/{key}")
    async def one(key: Key) -> Response:
        [found] = await playbooks.shown(key)
        return json(found)

    @router.post("/v1/playbooks/{key}/install")
    async def install(
        key: Key, request: Request, brands: Brands, actor: Actor = _NOBODY
    ) -> Response:
        raw = await request.body()
        spec = body(InstallPlaybookSpec, raw) if raw.strip() else InstallPlaybookSpec()
        if brands is not None and spec.brand not in brands:
            raise one_fault("/brand", "brand_not_yours", "name a brand that is yours")
        view = await playbooks.install(key, actor, launch=spec.launch, brand=spec.brand)
        return json(view)

    @router.post("/v1/stock-alerts")
    async def alert(request: Request) -> Response:
        spec = body(StockAlertSpec, await request.body())
        return json({"alert_id": await alerts.raise_(spec)}, 202)

    return router
