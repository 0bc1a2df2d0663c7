"""Keeps the timers of reorder dates: set when a date appears, moved by a purchase, dropped."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence

import msgspec

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.missing import missed
from services.engagement.domain.reorder import Watch, WatchChange, plan_watches
from services.engagement.incoming import Change
from services.engagement.keeping import Newest, Rows
from services.engagement.parking import Stimuli
from services.engagement.store import pending, people
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.facts import reorders
from zhiyin.runtime.batch import Connection, Timer
from zhiyin.runtime.timers import clear_timers, set_timers

REORDER_TIMER = "reorder"
_DATED_BY = frozenset({"reorder", "orders"})
_pack = msgspec.msgpack.Encoder().encode


async def watch_reorders(
    tx: Connection,
    fresh: Iterable[Change],
    rows: Rows,
    newest: Newest,
    catalog: Catalog,
    stimuli: Stimuli,
    now: Instant,
) -> None:
    """Bring the watches of everybody whose dates this batch may have moved up to date."""
    moved = {
        people.final(rows, change.profile_id)
        for change in fresh
        if change.merged_into is None and not _DATED_BY.isdisjoint(change.changed)
    }
    if catalog.asked("reorder.due") and moved:
        found = {each: snapshot for each in moved if (snapshot := newest.get(each)) is not None}
        await rewatch(tx, found, rows, catalog, stimuli, now)


async def rewatch(
    tx: Connection,
    snapshots: Mapping[str, Snapshot],
    rows: Rows,
    catalog: Catalog,
    stimuli: Stimuli,
    now: Instant,
) -> None:
    campaigns = catalog.asked("reorder.due")
    known = _by_person(await pending.watches(tx, list(snapshots)))
    plans: list[WatchChange] = []
    for profile_id, snapshot in sorted(snapshots.items()):
        dates = reorders(snapshot.facts)
        plan = plan_watches(profile_id, dates, campaigns, known.get(profile_id, ()), now)
        plans.append(plan)
        stimuli[profile_id] += missed(plan.missed, catalog)
    await _save(tx, plans, known, rows)


async def _save(
    tx: Connection,
    plans: Sequence[WatchChange],
    known: Mapping[str, Collection[Watch]],
    rows: Rows,
) -> None:
    """A date that is over stays among the watches, without a timer: it is not missed again."""
    coming = [watch for plan in plans for watch in plan.set]
    over = [watch for plan in plans for watch in plan.missed]
    dropped = [watch for plan in plans for watch in plan.drop]
    places = {(watch.profile_id, watch.campaign, watch.sku) for watch in (*coming, *over)}
    moved = [
        watch
        for watches in known.values()
        for watch in watches
        if (watch.profile_id, watch.campaign, watch.sku) in places
    ]
    await pending.drop_watches(tx, dropped)
    await pending.save_watches(tx, [*coming, *over])
    await clear_timers(tx, sorted(watch.timer_key for watch in (*dropped, *moved)))
    await set_timers(tx, [watch_timer(w, rows[w.profile_id].partition) for w in coming])


def watch_timer(watch: Watch, partition: int) -> Timer:
    return Timer(
        key=watch.timer_key,
        partition=partition,
        due_at=watch.fire_at,
        profile_id=watch.profile_id,
        kind=REORDER_TIMER,
        payload=_pack(watch),
    )


def _by_person(watches: Iterable[Watch]) -> dict[str, list[Watch]]:
    found: defaultdict[str, list[Watch]] = defaultdict(list)
    for watch in watches:
        found[watch.profile_id].append(watch)
    return found
