"""What the API asks of comings and goings: of a segment, or of a person."""

import uuid
from typing import NamedTuple

from zhiyin.contracts.instants import Instant, instant, moment
from zhiyin.runtime.batch import Connection


class Move(NamedTuple):
    """Somebody entered or left."""

    id: uuid.UUID
    profile_id: str
    entered: bool
    at: Instant
    decided_at: Instant
    cause: str
    rule_version: int


async def moves(
    connection: Connection, segment: str, before: tuple[Instant, uuid.UUID] | None, limit: int
) -> list[Move]:
    """Comings and goings, newest decision first, from behind `before` (decided_at, id)."""
    rows = await connection.fetch(
        """
        SELECT id, profile_id, entered, at, decided_at, cause, rule_version FROM membership_log
        WHERE segment = $1 AND ($2::timestamptz IS NULL OR (decided_at, id) < ($2, $3::uuid))
        ORDER BY decided_at DESC, id DESC LIMIT $4
        """,
        segment,
        moment(before[0]) if before else None,
        before[1] if before else None,
        limit,
    )
    return [
        Move(row[0], row[1], row[2], instant(row[3]), instant(row[4]), row[5], row[6])
        for row in rows
    ]


class PersonMove(NamedTuple):
    """One person entered or left a segment."""

    id: uuid.UUID
    segment: str
    entered: bool
    at: Instant
    decided_at: Instant
    cause: str
    rule_version: int


async def moves_of(
    connection: Connection, profile_id: str, after: uuid.UUID | None, limit: int
) -> list[PersonMove]:
    """A person's comings and goings, from behind `after`, in the order of their ids."""
    rows = await connection.fetch(
        """
        SELECT id, segment, entered, at, decided_at, cause, rule_version FROM membership_log
        WHERE profile_id = $1 AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT $3
        """,
        profile_id,
        after,
        limit,
    )
    return [
        PersonMove(row[0], row[1], row[2], instant(row[3]), instant(row[4]), row[5], row[6])
        for row in rows
    ]
