"""What orders mean for what was done before: goals reached, coupons used and given back."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final

import msgspec
from msgspec import Struct

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.codes import read_code
from services.engagement.domain.redeeming import unusable
from services.engagement.incoming import Change
from services.engagement.keeping import Newest, Rows
from services.engagement.store import coupons, ledger, people, redemptions, subjects
from services.engagement.store.redemptions import Taken, Undone
from services.engagement.undoing import UNDOING, undone_by
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import to_minor
from zhiyin.contracts.profiles import Cause
from zhiyin.runtime.batch import Connection


class _Order(Struct, frozen=True):
    """Of a purchase, what concerns its coupons; money as it was posted."""

    order_id: str
    total: Decimal
    coupon_codes: tuple[str, ...] = ()
    discount: Decimal | None = None
    store_id: str | None = None


_order: Final = msgspec.msgpack.Decoder(_Order, strict=False).decode


async def reach_goals(
    tx: Connection, fresh: Iterable[Change], rows: Rows, catalog: Catalog
) -> None:
    reached = {
        (people.final(rows, change.profile_id), campaign.key, cause.at)
        for change in fresh
        for cause in change.causes
        for campaign in catalog.goals.get(cause.type, ())
        if campaign.goal is not None and campaign.goal.match.holds(cause)
    }
    await ledger.reach_goals(tx, reached)
    await subjects.reach_goals(tx, reached)


async def use_coupons(tx: Connection, fresh: Iterable[Change], currency: str, now: Instant) -> None:
    """Orders that name our coupons have used them: a shop that does not ask us took them at its
    own word, so one that could not be used any more is on record as a conflict."""
    taken = sorted(
        {
            (code, order)
            for change in fresh
            for cause in change.causes
            if cause.type == "purchase.completed"
            for code, order in _coupons_of(cause, currency)
        },
        key=lambda each: (each[0], each[1].at, each[1].order_id),
    )
    for code, order in taken:
        coupon = await coupons.find(tx, code, lock=True)
        if coupon is None or await redemptions.of_order(tx, code, order.order_id) is not None:
            continue
        off = coupon.off(order.amount)
        refusal = "redeemed" if coupon.standing else unusable(coupon, order.amount, order.at)
        # Whether the order was large enough is the shop's to know: amounts are told in many ways.
        if refusal is None or refusal == "below_minimum":
            await redemptions.redeem(tx, code, order, off)
        else:
            await redemptions.note_conflict(tx, code, order, off, refusal, now)


def _coupons_of(cause: Cause, currency: str) -> Iterator[tuple[str, Taken]]:
    order = _order(cause.properties)
    codes = {code for typed in order.coupon_codes if (code := read_code(typed)) is not None}
    if codes:
        off = to_minor(order.discount or Decimal(0), currency)
        amount = to_minor(order.total, currency) + off
        for code in codes:
            yield code, Taken(order.order_id, order.store_id, amount, cause.at)


async def give_back_coupons(
    tx: Connection, fresh: Iterable[Change], rows: Rows, newest: Newest, now: Instant
) -> None:
    """A coupon used on an order that was cancelled, or refunded in full, can be used again; of one
    refunded in part a share of the discount is no cost any more."""
    found: dict[str, Undone] = {}
    for change in fresh:
        for cause in change.causes:
            if cause.type in UNDOING:
                snapshot = newest.get(people.final(rows, change.profile_id)) or change.snapshot()
                if (undone := undone_by(cause, snapshot)) is not None:
                    found[undone.order_id] = undone
    await redemptions.undo_orders(tx, found.values(), now)
