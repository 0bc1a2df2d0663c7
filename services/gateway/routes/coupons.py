"""Coupons: templates, taking one, lookup, redeeming in store, reversing, revoking, cost."""

from typing import Any, Final

from services.gateway.calls import PAGE, Call, Query
from services.gateway.domain.scopes import CAMPAIGNS_READ, CAMPAIGNS_WRITE, COUPONS_REDEEM
from services.gateway.upstreams import ENGAGEMENT
from zhiyin.contracts.coupons import (
    ClaimSpec,
    CouponTemplateSpec,
    RedeemSpec,
    ReverseSpec,
    RevokeSpec,
)

_TEMPLATE: Final = {
    "key": "back-30",
    "kind": "amount",
    "value": "30",
    "minimum": "99",
    "budget": 10000,
    "per_person": 1,
    "valid": "30d",
}
_COSTS: Final = (
    Query("campaign", "only coupons of this campaign"),
    Query("template", "only coupons of this template"),
    Query("from", "issued since then, RFC 3339"),
    Query("to", "issued before then, RFC 3339"),
)


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    return Call(
        method=method,
        path=f"/v1/{path}",
        name=name,
        summary=summary,
        tag="coupons",
        service=ENGAGEMENT,
        **more,
    )


CALLS: Final = (
    _call(
        "GET", "coupon-templates", "coupon-templates.list", "All kinds of coupons",
        scope=CAMPAIGNS_READ, query=PAGE,
    ),
    _call(
        "POST", "coupon-templates", "coupon-templates.create", "Define a kind of coupon",
        scope=CAMPAIGNS_WRITE, body=CouponTemplateSpec, example=_TEMPLATE, status=201, creates=True,
    ),
    _call(
        "GET", "coupon-templates/{key}", "coupon-templates.show", "One kind of coupon",
        scope=CAMPAIGNS_READ,
    ),
    _call(
        "PUT", "coupon-templates/{key}", "coupon-templates.change",
        "Change what is issued from now on, such as the budget",
        scope=CAMPAIGNS_WRITE, body=CouponTemplateSpec, example=_TEMPLATE,
    ),
    _call(
        "POST", "coupon-templates/{key}/claim", "coupons.claim",
        "A customer takes a coupon; again with the same claim_id gets the same",
        scope=COUPONS_REDEEM, or_scope=CAMPAIGNS_WRITE, body=ClaimSpec, status=201,
        or_status=200, example={"profile_id": "9f1c…", "claim_id": "spring-page"}, creates=True,
    ),
    _call(
        "GET", "coupon-costs", "coupons.costs",
        "Issued, redeemed, reversed, cost and revenue by campaign and template",
        scope=CAMPAIGNS_READ, query=_COSTS,
    ),
    _call(
        "GET", "coupons/{code}", "coupons.show", "One coupon",
        scope=COUPONS_REDEEM, or_scope=CAMPAIGNS_READ,
    ),
    _call(
        "POST", "coupons/{code}/redeem", "coupons.redeem",
        "Redeem it: once; again for the same order gives the same answer",
        scope=COUPONS_REDEEM, body=RedeemSpec,
        example={
            "order_id": "O-1",
            "store_id": "S-8",
            "amount": "259.00",
            "redeemed_at": "2026-11-11T10:00:00+08:00",
        },
    ),
    _call(
        "POST", "coupons/{code}/revoke", "coupons.revoke", "End an unused coupon",
        scope=CAMPAIGNS_WRITE, body=RevokeSpec, body_optional=True,
        example={"reason": "issued by mistake"},
    ),
    _call(
        "POST", "coupons/{code}/reverse", "coupons.reverse", "Give it back after a refund",
        scope=COUPONS_REDEEM, body=ReverseSpec, example={"order_id": "O-1"},
    ),
)  # fmt: skip
