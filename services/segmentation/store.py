"""People in PostgreSQL. Everything here works on the caller's transaction, which holds the
positions of their partitions: nobody else writes these people until it commits, so no row is
locked."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from services.segmentation.domain.person import PersonCopy, Verdict
from services.segmentation.domain.state import decode_state, encode_state
from services.segmentation.reads import now
from zhiyin.contracts.instants import Instant, instant
from zhiyin.runtime.batch import Connection

# Held shared by every batch, exclusively by whoever edits the segment set.
SEGMENT_SET_LOCK: Final = 0x5A_53_45_47


async def begin(tx: Connection) -> int:
    """The revision of the segment set, which stays until commit."""
    revision: int = await tx.fetchval("SELECT begin_batch($1)", SEGMENT_SET_LOCK)
    return revision


class Known(NamedTuple):
    """`now` is the database's instant after the positions were held: whoever held them before
    decided at an earlier one, so nobody's time ever runs backwards."""

    people: dict[str, PersonCopy]
    now: Instant


class Whole(NamedTuple):
    """A person who is still there, with the snapshot."""

    copy: PersonCopy
    snapshot: bytes


class Present(NamedTuple):
    """As `Known`."""

    people: list[Whole]
    now: Instant


_KNOWN: Final = """
SELECT profile_id, partition, version, sequence, state, snapshot IS NULL AS gone,
  clock_timestamp()
FROM person WHERE profile_id = ANY($1::text[])
"""
_PRESENT: Final = """
SELECT profile_id, partition, version, sequence, state, snapshot, clock_timestamp()
FROM person WHERE profile_id = ANY($1::text[]) AND snapshot IS NOT NULL ORDER BY profile_id
"""


async def known_people(tx: Connection, profile_ids: Sequence[str]) -> Known:
    """Those already known, in no order."""
    rows = await tx.fetch(_KNOWN, profile_ids)
    people = {
        profile_id: PersonCopy(profile_id, partition, version, sequence, decode_state(state), gone)
        for profile_id, partition, version, sequence, state, gone, _ in rows
    }
    return Known(people, instant(rows[-1][-1]) if rows else await now(tx))


async def present_people(tx: Connection, profile_ids: Sequence[str]) -> Present:
    """Those who are still there, in the order of their ids."""
    rows = await tx.fetch(_PRESENT, profile_ids)
    people = [
        Whole(PersonCopy(profile_id, partition, version, sequence, decode_state(state)), snapshot)
        for profile_id, partition, version, sequence, state, snapshot, _ in rows
    ]
    return Present(people, instant(rows[-1][-1]) if rows else await now(tx))


async def snapshots(tx: Connection, profile_ids: Sequence[str]) -> dict[str, bytes]:
    """The stored snapshots of those who have one."""
    if not profile_ids:
        return {}
    rows = await tx.fetch(
        """
        SELECT profile_id, snapshot FROM person
        WHERE profile_id = ANY($1::text[]) AND snapshot IS NOT NULL
        """,
        list(profile_ids),
    )
    return {row["profile_id"]: row["snapshot"] for row in rows}


async def save_people(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    """Copies with their new snapshots."""
    people = [one.after for one in verdicts]
    await tx.execute(
        """
        INSERT INTO person AS p
          (profile_id, sequence, revision, state, partition, version, snapshot)
        SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[], $5::int[],
                             $6::bigint[], $7::bytea[])
        ON CONFLICT (profile_id) DO UPDATE SET
          version = excluded.version, sequence = excluded.sequence,
          revision = excluded.revision, snapshot = excluded.snapshot, state = excluded.state
        """,
        *_states(people),
        [one.partition for one in people],
        [one.version for one in people],
        [one.snapshot for one in verdicts],
    )


async def save_states(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    """States of people whose snapshot stays as it is."""
    await tx.execute(
        """
        UPDATE person p SET sequence = n.sequence, revision = n.revision, state = n.state
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bytea[])
          AS n (profile_id, sequence, revision, state)
        WHERE p.profile_id = n.profile_id
        """,
        *_states([one.after for one in verdicts]),
    )


def _states(people: Sequence[PersonCopy]) -> list[list[object]]:
    return [
        [one.profile_id for one in people],
        [one.sequence for one in people],
        [one.state.revision for one in people],
        [encode_state(one.state) for one in people],
    ]
