"""Coupons: templates, looking one up, redeeming in store, reversing."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.engagement.cashier import Cashier
from services.engagement.refusals import no_such
from services.engagement.routes.parts import Key, page_of
from services.engagement.settings_editor import SettingsEditor
from services.engagement.store import settings
from services.engagement.views import (
    View,
    coupon_template_view,
    coupon_view,
    redemption_view,
)
from zhiyin.contracts.campaigns import CouponTemplateSpec, RedeemSpec, ReverseSpec
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import Cursor, Limit, body, json


def coupon_routes(
    db: Database, editor: SettingsEditor, cashier: Cashier, currency: str, clock: Clock
) -> APIRouter:
    router = APIRouter()
    router.include_router(_using_routes(cashier, currency, clock))

    async def all_templates() -> dict[str, View]:
        async with db.connection() as connection:
            found = await settings.coupon_templates(connection)
        return {spec.key: coupon_template_view(spec, issued) for spec, issued in found}

    @router.get("/v1/coupon-templates")
    async def list_templates(limit: Limit = 100, cursor: Cursor = None) -> Response:
        return json(page_of(sorted((await all_templates()).items()), limit, cursor))

    @router.get("/v1/coupon-templates/{key}")
    async def show_template(key: Key) -> Response:
        found = (await all_templates()).get(key)
        if found is None:
            raise no_such("coupon template", key)
        return json(found)

    @router.post("/v1/coupon-templates")
    async def create(request: Request) -> Response:
        spec = body(CouponTemplateSpec, await request.body())
        await editor.add_coupon_template(spec)
        answer = json(coupon_template_view(spec, 0), 201)
        answer.headers["location"] = f"/v1/coupon-templates/{spec.key}"
        return answer

    return router


def _using_routes(cashier: Cashier, currency: str, clock: Clock) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/coupons/{code}")
    async def show(code: str) -> Response:
        return json(coupon_view(await cashier.find(code), clock(), currency))

    @router.post("/v1/coupons/{code}/redeem")
    async def redeem(code: str, request: Request) -> Response:
        coupon, used = await cashier.redeem(code, body(RedeemSpec, await request.body()))
        return json(redemption_view(coupon, used, currency))

    @router.post("/v1/coupons/{code}/reverse")
    async def reverse(code: str, request: Request) -> Response:
        coupon, used = await cashier.reverse(code, body(ReverseSpec, await request.body()))
        return json(redemption_view(coupon, used, currency))

    return router
