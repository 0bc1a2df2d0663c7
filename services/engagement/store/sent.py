"""Messages that went out, looked up by whoever reports of them."""

import uuid
from collections.abc import Collection

from msgspec import Struct

from zhiyin.runtime.batch import Connection


class SentAction(Struct, frozen=True):
    action_id: str
    profile_id: str
    reference: str | None


async def by_ids_or_references(
    tx: Connection, channel: str, ids: Collection[uuid.UUID], references: Collection[str]
) -> list[SentAction]:
    """Those of this channel. Also what is not settled yet: a report may be faster than we are."""
    rows = await tx.fetch(
        """SELECT action_id::text, profile_id, reference FROM action
           WHERE action_id = ANY($2::uuid[]) AND channel = $1
           UNION
           SELECT action_id::text, profile_id, reference FROM action
           WHERE channel = $1 AND reference = ANY($3::text[]) AND reference IS NOT NULL""",
        channel,
        list(ids),
        list(references),
    )
    return [SentAction(*row) for row in rows]
