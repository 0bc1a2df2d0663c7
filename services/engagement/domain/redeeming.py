"""May a coupon be used by an order at an instant? Tills that were offline tell of it later."""

from typing import Final, Literal, Protocol

from zhiyin.contracts.instants import DAY, MINUTE, Duration, Instant
from zhiyin.contracts.money import Minor

# How long a till may keep to itself what it took, and how far its clock may be ahead of ours.
LONGEST_OFFLINE: Final[Duration] = 30 * DAY
CLOCK_AHEAD: Final[Duration] = 5 * MINUTE

Refusal = Literal["redeemed", "reversed", "revoked", "expired", "below_minimum", "before_issue"]


class Usable(Protocol):
    @property
    def minimum(self) -> Minor: ...
    @property
    def issued_at(self) -> Instant: ...
    @property
    def expires_at(self) -> Instant: ...
    @property
    def revoked_at(self) -> Instant | None: ...


def unusable(coupon: Usable, amount: Minor, at: Instant) -> Refusal | None:
    """Why an order of `amount` could not use it at `at`, whoever else has; None if it could."""
    if coupon.revoked_at is not None and coupon.revoked_at <= at:
        return "revoked"
    if at >= coupon.expires_at:
        return "expired"
    if at < coupon.issued_at:
        return "before_issue"
    return "below_minimum" if amount < coupon.minimum else None


def taken_at(stated: Instant | None, now: Instant) -> Instant | None:
    """When a coupon was taken by the word of a till, None if that cannot be."""
    if stated is None:
        return now
    if stated > now + CLOCK_AHEAD or stated < now - LONGEST_OFFLINE:
        return None
    return min(stated, now)


def given_back(discount: Minor, refunded: Minor, paid: Minor) -> Minor:
    """How much of a discount is no cost any more when so much of what was paid went back."""
    return discount if refunded >= paid else discount * max(refunded, 0) // paid
