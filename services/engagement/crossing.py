"""Memberships, and the campaigns that entering or leaving a segment starts."""

from collections.abc import Iterable

from services.engagement.domain.catalog import Catalog
from services.engagement.domain.occurrence import of_segment
from services.engagement.domain.respond import Starts
from services.engagement.incoming import Crossing
from services.engagement.keeping import Rows
from services.engagement.parking import Stimuli, park
from services.engagement.store import people
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.segments import SegmentChanged
from zhiyin.runtime.batch import Connection


async def cross(
    tx: Connection,
    crossings: Iterable[Crossing],
    rows: Rows,
    catalog: Catalog,
    stimuli: Stimuli,
    now: Instant,
) -> None:
    memberships: list[people.Membership] = []
    early: list[tuple[people.Row, int, Starts]] = []
    for crossing in crossings:
        change = crossing.change
        row = rows[change.profile_id]
        if row.erased:
            continue
        if row.merged_into is None or _returning(change, row):
            memberships.append(_membership(crossing, row.partition))
        # A new rule or a backfill changes memberships, but it is no news about the person.
        if not change.news:
            continue
        if row.merged_into is None and change.profile_version > row.version:
            early += ((row, change.profile_version, each) for each in _starts(crossing, catalog))
        else:
            stimuli[people.final(rows, change.profile_id)] += _starts(crossing, catalog)
    await people.save_memberships(tx, memberships)
    await park(tx, early, now)


def _returning(change: SegmentChanged, row: people.Row) -> bool:
    """Whether it is of somebody parted again, which we are about to hear."""
    entered = change.cause == "merge" and change.change == "entered"
    return entered and change.profile_version > row.version


def _starts(crossing: Crossing, catalog: Catalog) -> list[Starts]:
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
