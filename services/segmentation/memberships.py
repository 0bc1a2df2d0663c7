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

# A million people moved by time are a million rows of few kinds, so that what they share is sent
# once, and instants go as numbers. Rows are written in sorted order, so that batches never
# deadlock.
_SAVE: Final = """
WITH kind AS (
  SELECT * FROM unnest($1::text[], $2::boolean[], $3::timestamptz[], $4::text[], $5::int[],
                       $6::boolean[]) WITH ORDINALITY
    AS k (segment, entered, decided_at, cause, rule_version, logged, number)
), move AS MATERIALIZED (
  SELECT m.profile_id, m.id, TIMESTAMPTZ 'epoch' + m.at * INTERVAL '1 microsecond' AS at,
    m.last, kind.*
  FROM unnest($7::bigint[], $8::text[], $9::uuid[], $10::bigint[], $11::boolean[])
    AS m (number, profile_id, id, at, last) JOIN kind USING (number)
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
  SELECT * FROM unnest($12::text[], $13::date[], $14::int[], $15::bigint[], $16::bigint[])
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


class _Kind(NamedTuple):
    """What many moves have in common. `logged`: not of somebody who is erased."""

    segment: str
    entered: bool
    decided_at: Instant
    cause: str
    rule_version: int
    logged: bool


class _Move(NamedTuple):
    """`kind`: which one, counted from 1; `last`: nothing was told of that person and segment after
    it, so it says where they stand."""

    kind: int
    profile_id: str
    id: str
    at: Instant
    last: bool


async def save_memberships(tx: Connection, verdicts: Sequence[Verdict], zone: tzinfo) -> None:
    """Members, the log of comings and goings, and the tallies (days in `zone`)."""
    kinds: dict[_Kind, int] = {}
    moves: list[_Move] = []
    counts: Counter[tuple[str, date, int, bool]] = Counter()
    for one in verdicts:
        newest = {change.segment: change for change in one.told}
        for change in one.told:
            kind = _kind(change, logged=not one.erased)
            number = kinds.setdefault(kind, len(kinds) + 1)
            last = newest[change.segment] is change
            moves.append(_Move(number, change.profile_id, change.message_id, change.at, last))
            day = _day(change.decided_at, zone)
            counts[change.segment, day, one.after.partition, kind.entered] += 1
    if moves:
        columns = (*_columns(_written(kinds)), *_columns(moves), *_columns(_tallies(counts)))
        await tx.execute(_SAVE, *columns)


def _kind(change: SegmentChanged, *, logged: bool) -> _Kind:
    entered = change.change == "entered"
    at, version = change.decided_at, change.rule_version
    return _Kind(change.segment, entered, at, change.cause, version, logged)


def _written(kinds: Iterable[_Kind]) -> list[tuple[object, ...]]:
    return [(*kind[:2], moment(kind.decided_at), *kind[3:]) for kind in kinds]


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
