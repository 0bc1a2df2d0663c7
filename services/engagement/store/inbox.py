"""Messages that lie in people's inboxes. What they say is the action's; whose it is, too."""

import uuid
from typing import Any

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode


class Letter(Struct, frozen=True):
    action_id: str
    profile_id: str
    campaign: str
    channel: str
    at: Instant
    expires_at: Instant
    read_at: Instant | None
    clicked_at: Instant | None
    data: dict[str, Any]


_LETTER = """
SELECT a.action_id::text, a.profile_id, a.campaign, a.channel, a.at, i.expires_at, i.read_at,
  i.clicked_at, a.data
FROM action a JOIN inbox i USING (action_id)
"""


async def lay(tx: Connection, action_id: uuid.UUID, expires_at: Instant) -> None:
    """Once, however often it is delivered."""
    await tx.execute(
        "INSERT INTO inbox (action_id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING",
        action_id,
        expires_at,
    )


async def of_person(
    tx: Connection,
    profile_id: str,
    now: Instant,
    before: tuple[Instant, str] | None,
    limit: int,
    *,
    unread: bool,
) -> list[Letter]:
    """Newest first, after the (at, id) given; those whose time is not over."""
    at, last = before or (2**62, "")
    rows = await tx.fetch(
        f"""{_LETTER} WHERE a.profile_id = $1 AND i.expires_at > $2
              AND (a.at, a.action_id::text) < ($3, $4) AND ($5 OR i.read_at IS NULL)
            ORDER BY a.at DESC, a.action_id::text DESC LIMIT $6""",
        profile_id,
        now,
        at,
        last,
        not unread,
        limit,
    )
    return [_letter(row) for row in rows]


async def unread_count(tx: Connection, profile_id: str, now: Instant) -> int:
    found: int = await tx.fetchval(
        """SELECT count(*) FROM action a JOIN inbox i USING (action_id)
           WHERE a.profile_id = $1 AND i.expires_at > $2 AND i.read_at IS NULL""",
        profile_id,
        now,
    )
    return found


async def find(tx: Connection, profile_id: str, action_id: uuid.UUID) -> Letter | None:
    row = await tx.fetchrow(
        f"{_LETTER} WHERE a.profile_id = $1 AND a.action_id = $2",
        profile_id,
        action_id,
    )
    return None if row is None else _letter(row)


async def mark(tx: Connection, action_id: uuid.UUID, at: Instant, *, clicked: bool) -> None:
    """Read, and clicked too if it was; the first time counts."""
    await tx.execute(
        """UPDATE inbox SET read_at = coalesce(read_at, $2),
             clicked_at = CASE WHEN $3 THEN coalesce(clicked_at, $2) ELSE clicked_at END
           WHERE action_id = $1""",
        action_id,
        at,
        clicked,
    )


def _letter(row: Any) -> Letter:
    *rest, data = row
    said = (*rest, _unpack(data))
    return Letter(*said)
