"""Redeeming and reversing coupons: atomic, and the same answer however often it is asked."""

from decimal import Decimal

from services.engagement.domain.codes import read_code
from services.engagement.domain.coupons import MOST_MONEY, discount
from services.engagement.refusals import no_such, one_fault
from services.engagement.store import coupons
from services.engagement.store.coupons import Redemption, StoredCoupon
from zhiyin.contracts.coupons import RedeemSpec, ReverseSpec
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor, to_minor
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

Used = tuple[StoredCoupon, Redemption]


class Cashier:
    def __init__(self, db: Database, currency: str, clock: Clock) -> None:
        self._db = db
        self._currency = currency
        self._clock = clock

    async def find(self, code: str) -> StoredCoupon:
        """Raises Problem (404)."""
        async with self._db.connection() as connection:
            return await _existing(connection, code)

    async def redeem(self, code: str, spec: RedeemSpec) -> Used:
        """Once per coupon; again for the same order gives what the first time gave. Raises
        Problem: 404, 409 used by another order or given back by this one, 410 expired or
        revoked, 422 below the minimum."""
        amount = self._amount(spec.amount)
        now = self._clock()
        async with self._db.transaction() as tx:
            coupon = await _existing(tx, code, lock=True)
            used = coupon.redemption
            if used is not None and used.reversed_at is None:
                if used.order_id == spec.order_id:
                    return coupon, used
                raise Problem(409, "redeemed", "this coupon was used for another order")
            earlier = await coupons.redemption_for(tx, coupon.code, spec.order_id)
            if earlier is not None:
                # A retry that comes after the order was undone must not use the coupon again.
                raise Problem(409, "reversed", "this order has given the coupon back")
            _check_usable(coupon, amount, now)
            taken = await coupons.redeem(
                tx,
                coupon.code,
                spec.order_id,
                spec.store_id,
                amount,
                discount(coupon.kind, coupon.value, amount),
                now,
            )
            return coupon, taken

    async def reverse(self, code: str, spec: ReverseSpec) -> Used:
        """Give the coupon back for this order; again gives the same answer. Raises Problem: 404,
        409 if this order has not used it."""
        now = self._clock()
        async with self._db.transaction() as tx:
            coupon = await _existing(tx, code, lock=True)
            used = await coupons.redemption_for(tx, coupon.code, spec.order_id)
            if used is None:
                raise Problem(409, "not_redeemed", "this order has not used the coupon")
            if used.reversed_at is None:
                used = await coupons.reverse(tx, used, now)
            return coupon, used

    def _amount(self, amount: Decimal) -> Minor:
        if not (amount.is_finite() and 0 <= amount <= MOST_MONEY):
            raise one_fault("/amount", "bad_amount", "must be between 0 and 10^12")
        return to_minor(amount, self._currency)


def _check_usable(coupon: StoredCoupon, amount: Minor, now: Instant) -> None:
    if coupon.revoked_at is not None:
        raise Problem(410, "revoked", "this coupon was revoked")
    if now >= coupon.expires_at:
        raise Problem(410, "expired", "this coupon has expired")
    if amount < coupon.minimum:
        raise one_fault("/amount", "below_minimum", "the order is below the coupon's minimum")


async def _existing(tx: Connection, typed: str, *, lock: bool = False) -> StoredCoupon:
    code = read_code(typed)
    found = None if code is None else await coupons.find(tx, code, lock=lock)
    if found is None:
        raise no_such("coupon", typed)
    return found
