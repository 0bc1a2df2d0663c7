"""Orders that are undone, in full or in part, and the coupons they had used."""

from services.engagement.domain.match import properties
from services.engagement.store import people, redemptions
from services.engagement.store.coupons import StoredCoupon
from services.engagement.store.redemptions import Redemption, Undone
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause, Snapshot
from zhiyin.runtime.batch import Connection

UNDOING = frozenset({"purchase.cancelled", "purchase.refunded"})


def undone_by(cause: Cause, snapshot: Snapshot) -> Undone | None:
    """What a cancellation or refund makes of its order; None if the order is not known."""
    order_id = properties(cause).get("order_id")
    if not isinstance(order_id, str):
        return None
    found = undone(order_id, snapshot)
    if cause.type == "purchase.cancelled":
        return found if found is not None and found.whole else Undone(order_id, 0, 0, whole=True)
    return found


def undone(order_id: str, snapshot: Snapshot) -> Undone | None:
    order = snapshot.facts.orders_kept.get(order_id)
    if order is None or not order.event_id:
        return None
    whole = order.cancelled or (order.refunded > 0 and order.net == 0)
    return Undone(order_id, order.refunded, order.total, whole=whole)


async def undo_at_once(
    tx: Connection, coupon: StoredCoupon, used: Redemption, now: Instant
) -> Redemption:
    """A till that was offline may tell of a coupon after its order was refunded."""
    if coupon.profile_id is None:
        return used
    known = (await people.snapshots(tx, [coupon.profile_id])).get(coupon.profile_id)
    found = None if known is None else undone(used.order_id, known)
    if found is None or not (found.whole or found.refunded):
        return used
    await redemptions.undo_orders(tx, [found], now)
    return await redemptions.of_order(tx, coupon.code, used.order_id) or used
