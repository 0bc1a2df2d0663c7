"""Engagement's own copy of people and their memberships, and the locks on them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.log import partition_of

# Messages come twice only from the unacknowledged end of an outbox, which holds few per person.
_REMEMBERED = 32
_ids = msgspec.msgpack.Decoder(list[str]).decode
_versions = msgspec.msgpack.Decoder(dict[str, int]).decode
_pack = msgspec.msgpack.Encoder().encode
_SELECT = """SELECT profile_id, partition, version, merged_into, erased, recent, lacking, outdated
  FROM person"""


# Those not seen before are added, and of the others those are told who were merged.
_ADD = """
WITH new AS (
  INSERT INTO person (profile_id, partition) SELECT * FROM unnest($1::text[], $2::int[])
  ORDER BY 1 ON CONFLICT DO NOTHING
)
SELECT merged_into FROM person WHERE profile_id = ANY($1::text[]) AND merged_into IS NOT NULL
"""


@dataclass(slots=True)
class Row:
    """A locked person. `packed`: a newer snapshot that is still to be written; `lacking`: those
    merged into this person of whom the newest snapshot does not know yet; `outdated`: up to which
    versions of others their news, which take this person for a part of them, are of no account."""

    profile_id: str
    partition: int
    version: int
    merged_into: str | None
    erased: bool
    recent: list[str]
    lacking: list[str]
    outdated: dict[str, int]
    packed: bytes | None = None
    changed: bool = False

    @property
    def stands(self) -> bool:
        """Whether this is still somebody of their own."""
        return self.merged_into is None and not self.erased

    @property
    def known(self) -> bool:
        """Whether any snapshot has come."""
        return self.version > 0

    @property
    def whole(self) -> bool:
        """Whether the snapshot is of all that this person is: if not, theirs is on its way, since
        it was published with the message that told of the merge."""
        return self.known and not self.lacking

    def first_sight(self, message_id: str) -> bool:
        """Whether this message is new, remembering it."""
        if message_id in self.recent:
            return False
        self.recent = [*self.recent[-_REMEMBERED + 1 :], message_id]
        self.changed = True
        return True


async def lock(
    tx: Connection, ids: Collection[str], partitions: int, formerly: Collection[str] = ()
) -> dict[str, Row]:
    """Lock these people, and whom they were merged into, in the order of their ids; those not seen
    before are added. Of `formerly` only those are locked who are not known to be merged yet.
    Everybody who locks people does it here, so nobody waits in a circle.

    Raises SerializationError if others merged some of them into somebody else while we waited: to
    lock those as well would be out of order, so the whole transaction is to be tried again."""
    wanted = await _add(tx, {*ids, *await _standing(tx, formerly)}, partitions)
    rows = await _locked(tx, wanted)
    if not {row.merged_into for row in rows.values() if row.merged_into} <= rows.keys():
        raise asyncpg.SerializationError("somebody was merged while we waited for their lock")
    return rows


def final(rows: Mapping[str, Row], profile_id: str) -> str:
    """Who this person is now, after all merges."""
    seen: set[str] = set()
    while (row := rows.get(profile_id)) is not None and row.merged_into and profile_id not in seen:
        seen.add(profile_id)
        profile_id = row.merged_into
    return profile_id


async def save(tx: Connection, rows: Iterable[Row]) -> None:
    changed = sorted((row for row in rows if row.changed), key=lambda row: row.profile_id)
    if not changed:
        return
    await tx.execute(
        """UPDATE person SET version = n.version, merged_into = n.merged_into, erased = n.erased,
             recent = n.recent, lacking = n.lacking, outdated = n.outdated,
             snapshot = CASE WHEN n.erased OR n.merged_into IS NOT NULL THEN NULL
               ELSE coalesce(n.packed, snapshot) END
           FROM unnest($1::text[], $2::bigint[], $3::text[], $4::bool[], $5::bytea[], $6::bytea[],
               $7::bytea[], $8::bytea[])
             AS n(profile_id, version, merged_into, erased, recent, lacking, packed, outdated)
           WHERE person.profile_id = n.profile_id""",
        [row.profile_id for row in changed],
        [row.version for row in changed],
        [row.merged_into for row in changed],
        [row.erased for row in changed],
        [_pack(row.recent) for row in changed],
        [_pack(row.lacking) for row in changed],
        [row.packed for row in changed],
        [_pack(row.outdated) for row in changed],
    )


async def snapshots(tx: Connection, ids: Collection[str]) -> dict[str, Snapshot]:
    """The copies at hand; somebody erased or never described has none."""
    if not ids:
        return {}
    rows = await tx.fetch(
        """SELECT profile_id, snapshot FROM person
           WHERE profile_id = ANY($1::text[]) AND snapshot IS NOT NULL""",
        list(ids),
    )
    return {profile_id: decode_snapshot(packed) for profile_id, packed in rows}


async def known(tx: Connection, profile_id: str) -> int | None:
    """The partition of somebody heard of; None of nobody."""
    found: int | None = await tx.fetchval(
        "SELECT partition FROM person WHERE profile_id = $1", profile_id
    )
    return found


class Membership(Struct, frozen=True):
    profile_id: str
    segment: str
    partition: int
    inside: bool
    at: Instant
    decided_at: Instant


async def save_memberships(tx: Connection, changes: Sequence[Membership]) -> None:
    """The newest decision about a person and a segment stands, in whatever order they come."""
    newest: dict[tuple[str, str], Membership] = {}
    for change in changes:
        known = newest.get((change.profile_id, change.segment))
        if known is None or change.decided_at >= known.decided_at:
            newest[change.profile_id, change.segment] = change
    if not newest:
        return
    rows = [newest[key] for key in sorted(newest)]
    await tx.execute(
        """INSERT INTO member (profile_id, segment, partition, inside, at, decided_at)
           SELECT * FROM unnest(
             $1::text[], $2::text[], $3::int[], $4::bool[], $5::bigint[], $6::bigint[])
           ON CONFLICT (profile_id, segment) DO UPDATE SET inside = excluded.inside,
             at = excluded.at, decided_at = excluded.decided_at
           WHERE member.decided_at <= excluded.decided_at""",
        [row.profile_id for row in rows],
        [row.segment for row in rows],
        [row.partition for row in rows],
        [row.inside for row in rows],
        [row.at for row in rows],
        [row.decided_at for row in rows],
    )


async def members_after(
    tx: Connection, segment: str, partition: int, after: str, limit: int
) -> list[str]:
    """The next members of a segment on one partition, in the order of their ids."""
    rows = await tx.fetch(
        """SELECT profile_id FROM member
           WHERE segment = $1 AND partition = $2 AND inside AND profile_id > $3
           ORDER BY profile_id LIMIT $4""",
        segment,
        partition,
        after,
        limit,
    )
    return [row[0] for row in rows]


async def people_after(tx: Connection, partition: int, after: str, limit: int) -> list[str]:
    rows = await tx.fetch(
        """SELECT profile_id FROM person
           WHERE partition = $1 AND profile_id > $2 AND snapshot IS NOT NULL
             AND merged_into IS NULL
           ORDER BY profile_id LIMIT $3""",
        partition,
        after,
        limit,
    )
    return [row[0] for row in rows]


async def _standing(tx: Connection, ids: Collection[str]) -> set[str]:
    """Those who are not known to be merged."""
    if not ids:
        return set()
    merged = await tx.fetch(
        """SELECT profile_id FROM person
           WHERE profile_id = ANY($1::text[]) AND merged_into IS NOT NULL""",
        list(ids),
    )
    return set(ids) - {row[0] for row in merged}


async def _add(tx: Connection, ids: Collection[str], partitions: int) -> set[str]:
    """These people and whom they were merged into, all of whom are there from now on. Before any
    is locked: of two who add the same person one waits for the other, and must hold nothing that
    the other may wait for."""
    wanted: set[str] = set()
    coming = set(ids)
    while coming:
        wanted |= coming
        asked = sorted(coming)
        numbers = [partition_of(profile_id, partitions) for profile_id in asked]
        coming = {row[0] for row in await tx.fetch(_ADD, asked, numbers)} - wanted
    return wanted


async def _locked(tx: Connection, ids: Iterable[str]) -> dict[str, Row]:
    rows: list[Sequence[Any]] = await tx.fetch(
        f"{_SELECT} WHERE profile_id = ANY($1::text[]) ORDER BY profile_id FOR UPDATE",
        list(ids),
    )
    return {row[0]: _row(*row) for row in rows}


def _row(
    profile_id: str,
    partition: int,
    version: int,
    merged_into: str | None,
    erased: bool,
    recent: bytes,
    lacking: bytes,
    outdated: bytes,
) -> Row:
    known = (_ids(recent), _ids(lacking), _versions(outdated))
    return Row(profile_id, partition, version, merged_into, erased, *known)
