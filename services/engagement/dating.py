"""Keeps the timers of people's days: birthdays, festivals, what a fact names."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Final

import msgspec

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.dates import DateStart, DateWatch
from services.engagement.domain.zones import ATTRIBUTE, zone_of
from services.engagement.incoming import Change
from services.engagement.keeping import Newest, Rows
from services.engagement.store import days, people
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.rules import Person
from zhiyin.runtime.batch import Connection, Timer
from zhiyin.runtime.timers import clear_timers, set_timers

DATE_TIMER: Final = "date"
# Somebody new has identifiers; their clock may move.
_ALWAYS: Final = frozenset({"identifiers", f"attributes.{ATTRIBUTE}"})
_pack: Final = msgspec.msgpack.Encoder().encode


async def watch_days(
    tx: Connection,
    fresh: Iterable[Change],
    rows: Rows,
    newest: Newest,
    catalog: Catalog,
    now: Instant,
) -> None:
    """Bring the watches of everybody whose days this batch may have moved up to date."""
    starts = [each.start for each in catalog.asked("date") if isinstance(each.start, DateStart)]
    if not starts:
        return
    read = _ALWAYS.union(*(start.reads for start in starts))
    moved = {
        people.final(rows, change.profile_id)
        for change in fresh
        if change.merged_into is None and not read.isdisjoint(change.changed)
    }
    found = {each: snapshot for each in moved if (snapshot := newest.get(each)) is not None}
    await redate(tx, found, rows, catalog, now)


async def redate(
    tx: Connection,
    snapshots: Mapping[str, Snapshot],
    rows: Rows,
    catalog: Catalog,
    now: Instant,
) -> None:
    """From what is watched to what should be. A watch whose time has come stays as it is: its
    timer is about to fire, and dates the next one."""
    if not snapshots:
        return
    standing = {(w.profile_id, w.campaign): w for w in await days.watches(tx, list(snapshots))}
    wanted = {
        (watch.profile_id, watch.campaign): watch
        for profile_id, snapshot in sorted(snapshots.items())
        for watch in _coming(profile_id, snapshot, catalog, now)
    }
    movable = {key: watch for key, watch in standing.items() if watch.fire_at > now}
    over = [watch for key, watch in movable.items() if wanted.get(key) != watch]
    new = [
        watch
        for key, watch in wanted.items()
        if watch != standing.get(key) and (key not in standing or key in movable)
    ]
    await days.drop(tx, over)
    await clear_timers(tx, sorted(watch.timer_key for watch in over))
    await days.save(tx, new)
    await set_timers(tx, [_timer(watch, rows[watch.profile_id].partition) for watch in new])


def _coming(
    profile_id: str, snapshot: Snapshot, catalog: Catalog, now: Instant
) -> Iterable[DateWatch]:
    person, zone = Person(snapshot), zone_of(snapshot, catalog.pressure.zone)
    for campaign in catalog.asked("date"):
        if (watch := _next(campaign, profile_id, person, zone, now)) is not None:
            yield watch


def _next(
    campaign: Campaign, profile_id: str, person: Person, zone: tzinfo, now: Instant
) -> DateWatch | None:
    if not isinstance(campaign.start, DateStart):
        return None
    coming = campaign.start.next(person, zone, now)
    if coming is None:
        return None
    return DateWatch(profile_id, campaign.key, coming.name, coming.day, coming.at)


def _timer(watch: DateWatch, partition: int) -> Timer:
    return Timer(
        key=watch.timer_key,
        partition=partition,
        due_at=watch.fire_at,
        profile_id=watch.profile_id,
        kind=DATE_TIMER,
        payload=_pack(watch),
    )
