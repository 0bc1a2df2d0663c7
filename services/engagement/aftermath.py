"""What orders mean for what was done before: goals reached, coupons given back."""

from collections.abc import Iterable

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.match import properties
from services.engagement.incoming import Change
from services.engagement.keeping import Newest, Rows
from services.engagement.store import coupons, ledger, people
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause, Snapshot
from zhiyin.runtime.batch import Connection


async def reach_goals(
    tx: Connection, fresh: Iterable[Change], rows: Rows, catalog: Catalog
) -> None:
    await ledger.reach_goals(
        tx,
        (
            (people.final(rows, change.profile_id), campaign.key, cause.at)
            for change in fresh
            for cause in change.causes
            for campaign in catalog.goals.get(cause.type, ())
            if campaign.goal is not None and campaign.goal.match.holds(cause)
        ),
    )


async def give_back_coupons(
    tx: Connection, fresh: Iterable[Change], rows: Rows, newest: Newest, now: Instant
) -> None:
    """A coupon used on an order that was cancelled, or refunded in full, can be used again."""
    undone: set[str] = set()
    for change in fresh:
        for cause in change.causes:
            if cause.type not in ("purchase.cancelled", "purchase.refunded"):
                continue
            snapshot = newest.get(people.final(rows, change.profile_id)) or change.snapshot()
            if order_id := _undone(cause, snapshot):
                undone.add(order_id)
    await coupons.reverse_orders(tx, undone, now)


def _undone(cause: Cause, snapshot: Snapshot) -> str | None:
    order_id = properties(cause).get("order_id")
    if not isinstance(order_id, str):
        return None
    if cause.type == "purchase.cancelled":
        return order_id
    order = snapshot.facts.orders_kept.get(order_id)
    return order_id if order is not None and order.counts and order.net == 0 else None
