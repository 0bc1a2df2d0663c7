"""Coupons: templates, taking one, looking one up, redeeming in store, reversing, revoking, cost."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from services.engagement.cashier import Cashier
from services.engagement.claims import Claims
from services.engagement.lookups import Lookups
from services.engagement.refusals import no_such, one_fault
from services.engagement.routes.brands import Brands, hidden_from
from services.engagement.routes.parts import Actor, Key, page_of
from services.engagement.settings_editor import SettingsEditor
from services.engagement.store import settings
from services.engagement.store.coupon_costs import costs
from services.engagement.views import (
    View,
    coupon_cost_view,
    coupon_template_view,
    coupon_view,
    redemption_view,
)
from zhiyin.contracts.campaigns import (
    ClaimSpec,
    CouponTemplateSpec,
    RedeemSpec,
    ReverseSpec,
    RevokeSpec,
)
from zhiyin.contracts.instants import instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import Cursor, Limit, body, convert, json

_NOBODY: Final = "unknown"


@dataclass(frozen=True, slots=True)
class Counter:
    """Whom a coupon's way leads past."""

    editor: SettingsEditor
    claims: Claims
    cashier: Cashier
    lookups: Lookups


class _CostsOf(Struct, frozen=True):
    """Which coupons a report is about, by campaign, template and when they were issued."""

    campaign: Annotated[str, Meta(max_length=200)] | None = None
    template: Annotated[str, Meta(max_length=200)] | None = None
    from_: Annotated[datetime, Meta(tz=True)] | None = None
    to: Annotated[datetime, Meta(tz=True)] | None = None


def coupon_routes(db: Database, counter: Counter, currency: str, clock: Clock) -> APIRouter:
    router = APIRouter()
    router.include_router(_template_routes(db, counter.editor))
    router.include_router(_using_routes(counter, currency, clock))

    @router.post("/v1/coupon-templates/{key}/claim")
    async def claim(key: Key, request: Request) -> Response:
        coupon, new = await counter.claims.claim(key, body(ClaimSpec, await request.body()))
        return json(coupon_view(coupon, clock(), currency), 201 if new else 200)

    @router.get("/v1/coupon-costs")
    async def report(
        brands: Brands,
        campaign: str | None = None,
        template: str | None = None,
        from_: Annotated[str | None, Query(alias="from")] = None,
        to: str | None = None,
    ) -> Response:
        given = {"campaign": campaign, "template": template, "from_": from_, "to": to}
        asked = convert(_CostsOf, {name: text for name, text in given.items() if text is not None})
        async with db.connection() as connection:
            templates = await settings.coupon_templates(connection)
            found = await costs(
                connection,
                clock(),
                campaign=asked.campaign,
                template=asked.template,
                since=0 if asked.from_ is None else instant(asked.from_),
                until=2**62 if asked.to is None else instant(asked.to),
            )
            hidden = await hidden_from(connection, brands)
        each = {spec.key: spec.cost for spec, _ in templates}
        shown = [one for one in found if one.campaign not in hidden]
        return json({"items": [coupon_cost_view(one, each, currency) for one in shown]})

    return router


def _template_routes(db: Database, editor: SettingsEditor) -> APIRouter:
    router = APIRouter()

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

    @router.put("/v1/coupon-templates/{key}")
    async def change(key: Key, request: Request) -> Response:
        spec = body(CouponTemplateSpec, await request.body())
        if spec.key != key:
            raise one_fault("/key", "key_mismatch", f"the key is {key} and cannot be changed")
        await editor.put_coupon_template(spec)
        return json((await all_templates())[key])

    @router.post("/v1/coupon-templates")
    async def create(request: Request) -> Response:
        spec = body(CouponTemplateSpec, await request.body())
        await editor.add_coupon_template(spec)
        answer = json(coupon_template_view(spec, 0), 201)
        answer.headers["location"] = f"/v1/coupon-templates/{spec.key}"
        return answer

    return router


def _using_routes(counter: Counter, currency: str, clock: Clock) -> APIRouter:
    router = APIRouter()
    cashier, lookups = counter.cashier, counter.lookups

    @router.get("/v1/coupons/{code}")
    async def show(code: str, actor: Actor = _NOBODY) -> Response:
        async with lookups.of(actor, code):
            return json(coupon_view(await cashier.find(code), clock(), currency))

    @router.post("/v1/coupons/{code}/redeem")
    async def redeem(code: str, request: Request, actor: Actor = _NOBODY) -> Response:
        spec = body(RedeemSpec, await request.body())
        async with lookups.of(actor, code):
            coupon, used = await cashier.redeem(code, spec)
        return json(redemption_view(coupon, used, currency))

    @router.post("/v1/coupons/{code}/reverse")
    async def reverse(code: str, request: Request, actor: Actor = _NOBODY) -> Response:
        spec = body(ReverseSpec, await request.body())
        async with lookups.of(actor, code):
            coupon, used = await cashier.reverse(code, spec)
        return json(redemption_view(coupon, used, currency))

    @router.post("/v1/coupons/{code}/revoke")
    async def revoke(code: str, request: Request, actor: Actor = _NOBODY) -> Response:
        raw = await request.body()
        spec = body(RevokeSpec, raw) if raw.strip() else RevokeSpec()
        async with lookups.of(actor, code):
            return json(coupon_view(await cashier.revoke(code, spec), clock(), currency))

    return router
