"""Redeeming, reversing and revoking coupons: atomic, the same answer however often it is asked."""

from decimal import Decimal
from typing import Final

from services.engagement.domain.codes import read_code
from services.engagement.domain.coupons import MOST_MONEY
from services.engagement.domain.redeeming import LONGEST_OFFLINE, Refusal, taken_at, unusable
from services.engagement.refusals import no_such, one_fault
from services.engagement.store import coupons, redemptions
from services.engagement.store.coupons import StoredCoupon
from services.engagement.store.redemptions import Redemption, Taken
from services.engagement.undoing import undo_at_once
from zhiyin.contracts.coupons import RedeemSpec, ReverseSpec, RevokeSpec
from zhiyin.contracts.instants import DAY, Instant, instant, rfc3339
from zhiyin.contracts.money import Minor, to_minor
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

Used = tuple[StoredCoupon, Redemption]
_REFUSED: Final[dict[Refusal, tuple[int, str]]] = {
    "redeemed": (409, "this coupon was used for another order"),
    "reversed": (409, "this order has given the coupon back"),
    "revoked": (410, "this coupon was revoked"),
    "expired": (410, "this coupon has expired"),
}


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
        revoked, 422 below the minimum. What a till took while it was offline and should not have
        is refused too, but kept on record: the customer has had the discount."""
        now = self._clock()
        taken = self._taken(spec, now)
        async with self._db.transaction() as tx:
            if spec.redeemed_at is not None:
                # Their refund may be under way: it must find the redemption, or we it.
                await coupons.lock_owner(tx, read_code(code) or "")
            coupon = await _existing(tx, code, lock=True)
            refusal = await _refusal(tx, coupon, taken)
            if refusal is None:
                used = await redemptions.redeem(tx, coupon.code, taken, coupon.off(taken.amount))
                return coupon, await undo_at_once(tx, coupon, used, now)
            if isinstance(refusal, Redemption):
                return coupon, refusal
            if spec.redeemed_at is not None:
                await redemptions.note_conflict(
                    tx, coupon.code, taken, coupon.off(taken.amount), refusal, now
                )
        raise _problem(coupon, refusal, recorded=spec.redeemed_at is not None)

    async def reverse(self, code: str, spec: ReverseSpec) -> Used:
        """Give the coupon back for this order; again gives the same answer. Raises Problem: 404,
        409 if this order has not used it."""
        now = self._clock()
        async with self._db.transaction() as tx:
            coupon = await _existing(tx, code, lock=True)
            used = await redemptions.of_order(tx, coupon.code, spec.order_id)
            if used is None:
                raise Problem(409, "not_redeemed", "this order has not used the coupon")
            if used.reversed_at is None:
                used = await redemptions.reverse(tx, used, now)
            return coupon, used

    async def revoke(self, code: str, spec: RevokeSpec) -> StoredCoupon:
        """End an unused coupon; again changes nothing. Raises Problem: 404, 409 if it is used."""
        now = self._clock()
        async with self._db.transaction() as tx:
            coupon = await _existing(tx, code, lock=True)
            if coupon.standing is not None:
                raise Problem(409, "redeemed", "this coupon is used: reverse it first")
            if coupon.revoked_at is not None:
                return coupon
            return await coupons.revoke(tx, coupon, spec.reason, now)

    def _taken(self, spec: RedeemSpec, now: Instant) -> Taken:
        amount = self._amount(spec.amount)
        stated = None if spec.redeemed_at is None else instant(spec.redeemed_at)
        at = taken_at(stated, now)
        if at is None:
            longest = LONGEST_OFFLINE // DAY
            message = f"must be within the last {longest} days and not in the future"
            raise one_fault("/redeemed_at", "bad_time", message)
        return Taken(spec.order_id, spec.store_id, amount, at)

    def _amount(self, amount: Decimal) -> Minor:
        if not (amount.is_finite() and 0 <= amount <= MOST_MONEY):
            raise one_fault("/amount", "bad_amount", "must be between 0 and 10^12")
        return to_minor(amount, self._currency)


async def _refusal(
    tx: Connection, coupon: StoredCoupon, taken: Taken
) -> Refusal | Redemption | None:
    """Why not, or the redemption this order made before."""
    standing = coupon.standing
    if standing is not None:
        return standing if standing.order_id == taken.order_id else "redeemed"
    if await redemptions.of_order(tx, coupon.code, taken.order_id) is not None:
        # A retry that comes after the order was undone must not use the coupon again.
        return "reversed"
    return unusable(coupon, taken.amount, taken.at)


def _problem(coupon: StoredCoupon, refusal: Refusal, *, recorded: bool) -> Problem:
    if refusal == "below_minimum":
        return one_fault("/amount", refusal, "the order is below the coupon's minimum")
    if refusal == "before_issue":
        return one_fault("/redeemed_at", refusal, "the coupon was issued later than that")
    status, message = _REFUSED[refusal]
    extra: dict[str, object] = {"recorded": recorded}
    if (standing := coupon.standing) is not None:
        extra["redemption"] = {
            "order_id": standing.order_id,
            "store_id": standing.store_id,
            "redeemed_at": rfc3339(standing.at),
        }
    return Problem(status, refusal, message, extra=extra)


async def _existing(tx: Connection, typed: str, *, lock: bool = False) -> StoredCoupon:
    code = read_code(typed)
    found = None if code is None else await coupons.find(tx, code, lock=lock)
    if found is None:
        raise no_such("coupon", typed)
    return found
