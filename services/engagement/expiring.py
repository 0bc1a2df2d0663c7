"""Coupons about to expire unused: said as an event, on which campaigns and waits can rest."""

import uuid
from collections.abc import Sequence
from typing import Final

from services.engagement.domain.coupons import Coupon
from services.engagement.own_events import own_event
from services.engagement.store import coupons
from services.engagement.store.coupons import StoredCoupon
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.money import from_minor
from zhiyin.runtime.batch import Connection, Outcome, Outgoing, Timer
from zhiyin.runtime.timers import set_timers

COUPON_TIMER: Final = "coupon"
COUPON_EXPIRING: Final = "custom.coupon_expiring"
_NAMES: Final = uuid.UUID("3d4f5b1e-6c6e-5a0d-9d62-5f2a3b1c4d77")


def reminder(coupon: Coupon, partition: int) -> list[Timer]:
    if coupon.remind_at is None:
        return []
    return [_timer(coupon.code, coupon.profile_id, partition, coupon.remind_at)]


async def remind_again(tx: Connection, profile_id: str, partition: int) -> None:
    """Timers went with somebody's old id; what they hold unused is reminded of all the same."""
    held = await coupons.unused(tx, profile_id)
    await set_timers(
        tx, [_timer(code, profile_id, partition, remind_at) for code, remind_at in held]
    )


class Expiring:
    """`currency` is the platform's."""

    def __init__(self, currency: str) -> None:
        self._currency = currency

    async def coupons(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        outgoing: list[Outgoing] = []
        for timer in sorted(due, key=lambda each: each.payload):
            coupon = await coupons.find(tx, timer.payload.decode(), lock=True)
            if coupon is not None and _still_good(coupon, now):
                outgoing.append(self._event(coupon, timer.partition, now))
        return Outcome(outgoing=outgoing)

    def _event(self, coupon: StoredCoupon, partition: int, now: Instant) -> Outgoing:
        currency = self._currency
        properties = {
            "code": coupon.code,
            "template": coupon.template,
            "campaign": coupon.campaign or None,
            "kind": coupon.kind,
            "value": from_minor(coupon.value, currency) if coupon.kind == "amount" else coupon.text,
            "minimum": from_minor(coupon.minimum, currency) if coupon.minimum else None,
            "expires_at": rfc3339(coupon.expires_at),
        }
        event_id = f"coupon-expiring-{uuid.uuid5(_NAMES, coupon.code)}"
        owner = coupon.profile_id or ""
        return own_event(
            uuid.uuid5(_NAMES, f"{coupon.code}/{now}"),
            COUPON_EXPIRING,
            event_id,
            owner,
            partition,
            properties,
            now,
        )


def _still_good(coupon: StoredCoupon, now: Instant) -> bool:
    return (
        coupon.profile_id is not None
        and coupon.standing is None
        and coupon.revoked_at is None
        and now < coupon.expires_at
    )


def _timer(code: str, profile_id: str, partition: int, at: Instant) -> Timer:
    return Timer(f"coupon:{code}", partition, at, profile_id, COUPON_TIMER, code.encode())
