"""What subjects of experiments order in their time, kept as orders come and are undone."""

from collections.abc import Iterable

from services.engagement.incoming import Change
from services.engagement.keeping import Newest, Rows
from services.engagement.store import people, subjects
from services.engagement.store.subjects import Outcome
from zhiyin.contracts.profiles import Snapshot
from zhiyin.runtime.batch import Connection


async def note_orders(tx: Connection, fresh: Iterable[Change], rows: Rows, newest: Newest) -> None:
    ordering = {
        people.final(rows, change.profile_id)
        for change in fresh
        if any(cause.type.startswith("purchase.") for cause in change.causes)
    }
    known = {each: snapshot for each in ordering if (snapshot := newest.get(each)) is not None}
    # Whoever was merged into somebody goes on as a subject with what that one does.
    whose = {
        former: snapshot
        for snapshot in known.values()
        for former in (snapshot.profile_id, *snapshot.merged_from)
    }
    if whose:
        found = await subjects.of_people(tx, list(whose))
        after = [outcome_of(each, whose[each.profile_id]) for each in found]
        await subjects.save(tx, [new for new, old in zip(after, found, strict=True) if new != old])


def outcome_of(before: Outcome, snapshot: Snapshot) -> Outcome:
    """Counted anew from the orders that stand: it does not matter what was known when."""
    orders = [
        order
        for order in snapshot.facts.orders_kept.values()
        if order.counts and before.at <= order.at <= before.until
    ]
    revenue = sum(order.net for order in orders)
    return Outcome(
        before.profile_id, before.campaign, before.at, before.until, len(orders), revenue
    )
