"""Coupons: what a template says, and the bodies of claiming, redeeming, reversing, revoking."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal

from msgspec import Meta, Struct

from zhiyin.contracts.segments import Key

CouponKind = Literal["amount", "percent", "trial", "gift"]


class CouponTemplateSpec(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A kind of coupon.

    - `value`: for `amount` money off, for `percent` percent off (0 < value ≤ 100), for `trial` and
      `gift` what is given (a SKU)
    - `minimum`: money the order must reach; `valid`: how long after issue, such as `30d`
    - `budget`: how many may be issued in all; `per_person`: how many one person may ever get
    - `claimable`: whether a customer may take one without a campaign
    - `remind`: how long before it expires an unused coupon brings about the event
      `custom.coupon_expiring`; null: never
    - `cost`: what one redemption costs beyond money off (the goods of a trial or gift)
    """

    key: Key
    kind: CouponKind
    value: str | int | float
    name: Annotated[str, Meta(max_length=200)] = ""
    minimum: Decimal | None = None
    budget: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    per_person: Annotated[int, Meta(ge=1, le=1000)] | None = None
    valid: Annotated[str, Meta(min_length=2, max_length=32)] = "30d"
    claimable: bool = False
    remind: Annotated[str, Meta(min_length=2, max_length=32)] | None = "3d"
    cost: Decimal | None = None


class ClaimSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`claim_id`: the same claim sent again gives the same coupon; by default a person's first."""

    profile_id: Annotated[str, Meta(min_length=1, max_length=256)]
    claim_id: Annotated[str, Meta(min_length=1, max_length=128)] = "1"


class RedeemSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`amount` is the order's total before the coupon. `redeemed_at`: when a till that was offline
    took it, at most 30 days ago; the coupon must have been good at that time."""

    order_id: Annotated[str, Meta(min_length=1, max_length=128)]
    amount: Decimal
    store_id: Annotated[str, Meta(min_length=1, max_length=128)] | None = None
    redeemed_at: Annotated[datetime, Meta(tz=True)] | None = None


class ReverseSpec(Struct, frozen=True, forbid_unknown_fields=True):
    order_id: Annotated[str, Meta(min_length=1, max_length=128)]


class RevokeSpec(Struct, frozen=True, forbid_unknown_fields=True):
    reason: Annotated[str, Meta(max_length=200)] = ""
