"""What coupons came to: issued, used, given back, and what they cost and brought in."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor
from zhiyin.runtime.batch import Connection


class CouponCost(Struct, frozen=True):
    """Of one campaign (none: taken by customers) and template. `discount`: of redemptions that
    stand, less what partial refunds took back; `revenue`: what those orders paid, net of refunds;
    `conflicts`: discounts given by shops and tills that should not have been."""

    campaign: str
    template: str
    issued: int
    redeemed: int
    reversed: int
    revoked: int
    expired: int
    discount: Minor
    revenue: Minor
    conflicts: int
    conflict_discount: Minor


async def costs(
    connection: Connection,
    now: Instant,
    *,
    campaign: str | None = None,
    template: str | None = None,
    since: Instant = 0,
    until: Instant = 2**62,
) -> list[CouponCost]:
    """Of coupons issued in [since, until), by campaign and template."""
    rows: Sequence[Any] = await connection.fetch(
        """WITH chosen AS (
             SELECT code, campaign, template, revoked_at, expires_at FROM coupon
             WHERE ($2::text IS NULL OR campaign = $2) AND ($3::text IS NULL OR template = $3)
               AND issued_at >= $4 AND issued_at < $5),
           used AS (
             SELECT code, count(*) FILTER (WHERE reversed_at IS NULL) AS redeemed,
               count(*) FILTER (WHERE reversed_at IS NOT NULL) AS reversed,
               sum(discount - returned) FILTER (WHERE reversed_at IS NULL) AS discount,
               sum(greatest(amount - discount - refunded, 0)) FILTER (WHERE reversed_at IS NULL)
                 AS revenue
             FROM redemption JOIN chosen USING (code) GROUP BY code),
           wrong AS (
             SELECT code, count(*) AS conflicts, sum(discount) AS discount
             FROM coupon_conflict JOIN chosen USING (code) GROUP BY code)
           SELECT c.campaign, c.template, count(*),
             coalesce(sum(u.redeemed), 0)::bigint, coalesce(sum(u.reversed), 0)::bigint,
             count(*) FILTER (WHERE c.revoked_at IS NOT NULL),
             count(*) FILTER (WHERE c.revoked_at IS NULL AND c.expires_at <= $1
               AND coalesce(u.redeemed, 0) = 0),
             coalesce(sum(u.discount), 0)::bigint, coalesce(sum(u.revenue), 0)::bigint,
             coalesce(sum(w.conflicts), 0)::bigint, coalesce(sum(w.discount), 0)::bigint
           FROM chosen c LEFT JOIN used u USING (code) LEFT JOIN wrong w USING (code)
           GROUP BY c.campaign, c.template ORDER BY c.campaign, c.template""",
        now,
        campaign,
        template,
        since,
        until,
    )
    return [CouponCost(*row) for row in rows]
