"""Members, the log of comings and goings, and the tallies, in PostgreSQL; all on the caller's
transaction and in sorted order, so that batches never deadlock."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from functools import lru_cache
from typing import Final

from services.segmentation.domain.person import Verdict
from zhiyin.contracts.instants import Instant, moment
from zhiyin.contracts.segments import SegmentChanged
from zhiyin.runtime.batch import Connection


async def save_memberships(tx: Connection, verdicts: Sequence[Verdict], zone: tzinfo) -> None:
    """Members, the log of comings and goings, and the tallies (days in `zone`)."""
    moved = [one for one in verdicts if one.told or one.erased]
    if not moved:
        return
    await _enter(tx, moved)
    await _leave(tx, moved)
    told = [_Told(change, one.after.partition) for one in moved for change in one.told]
    await _log(tx, [change for one in moved if not one.erased for change in one.told])
    await _tally(tx, told, zone)


# What a batch tells was mostly decided, and became true, at the same few instants.
_moment: Final = lru_cache(maxsize=4096)(moment)


@lru_cache(maxsize=4096)
def _day(at: Instant, zone: tzinfo) -> date:
    return moment(at).astimezone(zone).date()


@dataclass(frozen=True, slots=True)
class _Told:
    change: SegmentChanged
    partition: int


async def _enter(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    rows = sorted(
        (key, one.after.profile_id, _moment(standing.since or 0), standing.version)
        for one in verdicts
        for key, standing in one.entered.items()
    )
    if rows:
        await tx.execute(
            """
            INSERT INTO membership (segment, profile_id, since, rule_version)
            SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::int[])
            ON CONFLICT (segment, profile_id)
            DO UPDATE SET since = excluded.since, rule_version = excluded.rule_version
            """,
            *map(list, zip(*rows, strict=True)),
        )


async def _leave(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    rows = sorted((key, one.after.profile_id) for one in verdicts for key in one.left)
    if rows:
        await tx.execute(
            """
            DELETE FROM membership m USING unnest($1::text[], $2::text[]) AS n (segment, profile_id)
            WHERE m.segment = n.segment AND m.profile_id = n.profile_id
            """,
            *map(list, zip(*rows, strict=True)),
        )


async def _log(tx: Connection, changes: Sequence[SegmentChanged]) -> None:
    if changes:
        await tx.copy_records_to_table(
            "membership_log",
            columns=(
                "profile_id",
                "id",
                "segment",
                "entered",
                "at",
                "decided_at",
                "cause",
                "rule_version",
            ),
            records=[
                (
                    one.profile_id,
                    one.message_id,
                    one.segment,
                    one.change == "entered",
                    _moment(one.at),
                    _moment(one.decided_at),
                    one.cause,
                    one.rule_version,
                )
                for one in changes
            ],
        )


async def _tally(tx: Connection, told: Sequence[_Told], zone: tzinfo) -> None:
    """Last in the transaction and in sorted order: these rows are the busiest ones."""
    entered: Counter[tuple[str, date, int]] = Counter()
    left: Counter[tuple[str, date, int]] = Counter()
    for one in told:
        day = _day(one.change.decided_at, zone)
        side = entered if one.change.change == "entered" else left
        side[one.change.segment, day, one.partition] += 1
    keys = sorted(entered.keys() | left.keys())
    if not keys:
        return
    await tx.execute(
        """
        WITH n AS (
          SELECT * FROM unnest($1::text[], $2::date[], $3::int[], $4::bigint[], $5::bigint[])
            AS n (segment, day, partition, entered, "left")
        ), size AS (
          INSERT INTO tally AS t (segment, partition, members)
          SELECT segment, partition, sum(entered - "left")::bigint FROM n
          GROUP BY segment, partition ORDER BY segment, partition
          ON CONFLICT (segment, partition) DO UPDATE SET members = t.members + excluded.members
        )
        INSERT INTO tally_day AS t (segment, day, partition, entered, "left")
        SELECT * FROM n ORDER BY segment, day, partition
        ON CONFLICT (segment, day, partition) DO UPDATE
          SET entered = t.entered + excluded.entered, "left" = t."left" + excluded."left"
        """,
        [key for key, _, _ in keys],
        [day for _, day, _ in keys],
        [partition for _, _, partition in keys],
        [entered[key] for key in keys],
        [left[key] for key in keys],
    )
