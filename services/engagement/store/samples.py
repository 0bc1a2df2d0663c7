"""People whom a template is tried out on: one, or some picked by chance."""

import uuid

from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.runtime.batch import Connection

_AFTER = """
SELECT p.snapshot FROM person p
WHERE p.profile_id >= $1 AND p.snapshot IS NOT NULL AND p.merged_into IS NULL AND NOT p.erased
  AND ($3::text IS NULL OR EXISTS (
    SELECT FROM member m WHERE m.profile_id = p.profile_id AND m.segment = $3 AND m.inside))
ORDER BY p.profile_id LIMIT $2
"""


async def people(tx: Connection, size: int, segment: str | None) -> list[Snapshot]:
    """From a random place in the order of their ids on, and from the beginning if that is too
    near the end."""
    rows = await tx.fetch(_AFTER, str(uuid.uuid4()), size, segment)
    if len(rows) < size:
        rows = await tx.fetch(_AFTER, "", size, segment)
    return [decode_snapshot(row[0]) for row in rows]


async def segments(tx: Connection, profile_id: str) -> frozenset[str]:
    """Those a person is in."""
    rows = await tx.fetch("SELECT segment FROM member WHERE profile_id = $1 AND inside", profile_id)
    return frozenset(row[0] for row in rows)
