"""Memberships, and the campaigns that entering or leaving a segment starts."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.occurrence import of_segment
from services.engagement.domain.respond import Starts, Stimulus
from services.engagement.incoming import Change, Crossing
from services.engagement.keeping import Rows
from services.engagement.store import pending, people
from zhiyin.contracts.instants import SECOND, Instant
from zhiyin.runtime.batch import Connection, Timer
from zhiyin.runtime.timers import clear_timers, set_timers

PARKED_TIMER = "parked"
# How long a crossing waits for the version of the person that it speaks of. It is in the log
# already, since segmentation decided on it; only our reading of the other topic is behind.
_PATIENCE = 60 * SECOND
# A new rule or a backfill changes memberships, but it is no news about the person.
_STARTING = frozenset({"event", "time"})

Stimuli = defaultdict[str, list[Stimulus]]


async def cross(
    tx: Connection,
    crossings: Iterable[Crossing],
    rows: Rows,
    catalog: Catalog,
    stimuli: Stimuli,
    now: Instant,
) -> None:
    memberships: list[people.Membership] = []
    early: list[pending.Parked] = []
    for crossing in crossings:
        change = crossing.change
        row = rows[change.profile_id]
        if row.erased:
            continue
        if row.merged_into is None:
            memberships.append(_membership(crossing, row.partition))
        if change.cause not in _STARTING:
            continue
        if row.merged_into is None and change.profile_version > row.version:
            early.append(pending.Parked(change.profile_id, change, crossing.traceparent))
            continue
        profile_id = people.final(rows, change.profile_id)
        stimuli[profile_id] += starts(crossing, catalog)
    await people.save_memberships(tx, memberships)
    await pending.park(tx, early)
    await set_timers(tx, [_timer(each, rows, now) for each in early])


async def unpark(
    tx: Connection, fresh: Sequence[Change], rows: Rows, catalog: Catalog, stimuli: Stimuli
) -> None:
    """Let go of crossings whose person has arrived."""
    ids = {people.final(rows, change.profile_id) for change in fresh}
    arrived = await pending.unpark(tx, {each: rows[each].version for each in ids})
    for parked in arrived:
        crossing = Crossing(parked.change, parked.traceparent)
        stimuli[parked.profile_id] += starts(crossing, catalog)
    await clear_timers(tx, sorted(_timer_key(parked) for parked in arrived))


def starts(crossing: Crossing, catalog: Catalog) -> list[Starts]:
    change = crossing.change
    occurrence = of_segment(change, crossing.traceparent)
    return [
        Starts(campaign, occurrence)
        for campaign in catalog.asked(f"segment.{change.change}", change.segment)
    ]


def _membership(crossing: Crossing, partition: int) -> people.Membership:
    change = crossing.change
    return people.Membership(
        profile_id=change.profile_id,
        segment=change.segment,
        partition=partition,
        inside=change.change == "entered",
        at=change.at,
        decided_at=change.decided_at,
    )


def _timer(parked: pending.Parked, rows: Rows, now: Instant) -> Timer:
    return Timer(
        key=_timer_key(parked),
        partition=rows[parked.profile_id].partition,
        due_at=now + _PATIENCE,
        profile_id=parked.profile_id,
        kind=PARKED_TIMER,
    )


def _timer_key(parked: pending.Parked) -> str:
    return f"parked:{parked.change.message_id}"
