"""Links that were issued with messages."""

import uuid
from collections.abc import Sequence

from msgspec import Struct

from services.engagement.domain.links import Link
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection


class Issued(Struct, frozen=True):
    """A link with the message it went out in, and whose that is now."""

    action_id: uuid.UUID
    profile_id: str
    campaign: str
    channel: str
    purpose: str
    url: str
    expires_at: Instant | None
    used_at: Instant | None


async def add(tx: Connection, links: Sequence[Link]) -> None:
    if links:
        await tx.execute(
            """INSERT INTO link (code, action_id, purpose, url, expires_at)
               SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::bigint[])
               ON CONFLICT DO NOTHING""",
            [each.code for each in links],
            [each.action_id for each in links],
            [each.purpose for each in links],
            [each.url for each in links],
            [each.expires_at for each in links],
        )


async def find(tx: Connection, code: str) -> Issued | None:
    row = await tx.fetchrow(
        """SELECT a.action_id, a.profile_id, a.campaign, coalesce(a.channel, ''), l.purpose, l.url,
             l.expires_at, l.used_at
           FROM link l JOIN action a USING (action_id) WHERE l.code = $1""",
        code,
    )
    if row is None:
        return None
    action_id, *rest = row
    return Issued(uuid.UUID(bytes=action_id.bytes), *rest)


async def use(tx: Connection, code: str, answer: str, at: Instant) -> bool:
    """What may be done once: whether this was it."""
    changed: str = await tx.execute(
        "UPDATE link SET used_at = $3, answer = $2 WHERE code = $1 AND used_at IS NULL",
        code,
        answer,
        at,
    )
    return changed == "UPDATE 1"
