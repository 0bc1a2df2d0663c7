"""Members, the log of comings and goings, and the tallies, in PostgreSQL; all on the caller's
transaction, in one statement."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date, tzinfo
from functools import lru_cache
from typing import Final, NamedTuple

from services.segmentation.domain.person import Verdict
from zhiyin.contracts.instants import Instant, moment
from zhiyin.contracts.segments import SegmentChanged
from zhiyin.runtime.batch import Connection

# Instants go as numbers, which cost a fraction of what dates do to be sent. Rows are written in
# sorted order, so that batches never deadlock.
_SAVE: Final = """
WITH move AS MATERIALIZED (
  SELECT segment, profile_id, id, entered, cause, rule_version, logged, last,
    TIMESTAMPTZ 'epoch' + at * INTERVAL '1 microsecond' AS at,
    TIMESTAMPTZ 'epoch' + decided_at * INTERVAL '1 microsecond' AS decided_at
  FROM unnest($1::text[], $2::text[], $3::uuid[], $4::boolean[], $5::bigint[], $6::bigint[],
              $7::text[], $8::int[], $9::boolean[], $10::boolean[])
    AS m (segment, profile_id, id, entered, at, decided_at, cause, rule_version, logged, last)
), entering AS (
  INSERT INTO membership (segment, profile_id, since, rule_version)
  SELECT segment, profile_id, at, rule_version FROM move WHERE last AND entered
  ORDER BY segment, profile_id
  ON CONFLICT (segment, profile_id)
  DO UPDATE SET since = excluded.since, rule_version = excluded.rule_version
), leaving AS (
  DELETE FROM membership USING move
  WHERE move.last AND NOT move.entered
    AND membership.segment = move.segment AND membership.profile_id = move.profile_id
), log AS (
  INSERT INTO membership_log
    (profile_id, id, segment, entered, at, decided_at, cause, rule_version)
  SELECT profile_id, id, segment, entered, at, decided_at, cause, rule_version
  FROM move WHERE logged
), count AS (
  SELECT * FROM unnest($11::text[], $12::date[], $13::int[], $14::bigint[], $15::bigint[])
    AS n (segment, day, partition, entered, "left")
), size AS (
  INSERT INTO tally AS t (segment, partition, members)
  SELECT segment, partition, sum(entered - "left")::bigint FROM count
  GROUP BY segment, partition ORDER BY segment, partition
  ON CONFLICT (segment, partition) DO UPDATE SET members = t.members + excluded.members
)
INSERT INTO tally_day AS t (segment, day, partition, entered, "left")
SELECT * FROM count ORDER BY segment, day, partition
ON CONFLICT (segment, day, partition) DO UPDATE
  SET entered = t.entered + excluded.entered, "left" = t."left" + excluded."left"
"""


class _Move(NamedTuple):
    """`logged`: not of somebody who is erased; `last`: nothing was told of that person and segment
    after it, so it says where they stand."""

    segment: str
    profile_id: str
    id: str
    entered: bool
    at: Instant
    decided_at: Instant
    cause: str
    rule_version: int
    logged: bool
    last: bool


async def save_memberships(tx: Connection, verdicts: Sequence[Verdict], zone: tzinfo) -> None:
    """Members, the log of comings and goings, and the tallies (days in `zone`)."""
    moves: list[_Move] = []
    counts: Counter[tuple[str, date, int, bool]] = Counter()
    for one in verdicts:
        newest = {change.segment: change for change in one.told}
        for change in one.told:
            last = newest[change.segment] is change
            move = _move(change, logged=not one.erased, last=last)
            day = _day(change.decided_at, zone)
            counts[change.segment, day, one.after.partition, move.entered] += 1
            moves.append(move)
    if moves:
        await tx.execute(_SAVE, *_columns(moves), *_columns(_tallies(counts)))


def _move(change: SegmentChanged, *, logged: bool, last: bool) -> _Move:
    return _Move(
        change.segment,
        change.profile_id,
        change.message_id,
        change.change == "entered",
        change.at,
        change.decided_at,
        change.cause,
        change.rule_version,
        logged,
        last,
    )


def _tallies(
    counts: Counter[tuple[str, date, int, bool]],
) -> list[tuple[str, date, int, int, int]]:
    return [
        (*key, counts[*key, True], counts[*key, False])
        for key in sorted({key[:3] for key in counts})
    ]


def _columns(rows: Iterable[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]


# What a batch tells was mostly decided at the same few instants.
@lru_cache(maxsize=4096)
def _day(at: Instant, zone: tzinfo) -> date:
    return moment(at).astimezone(zone).date()
