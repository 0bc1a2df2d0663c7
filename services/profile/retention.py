"""What the profile service keeps only for so long."""

from typing import Final

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from services.profile.domain.logged_event import decode_logged
from zhiyin.contracts.events import encode_event
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.retention import PAGE, DataClass, by_statement, dead_letters

_WITH_TEXT: Final = (
    "support.opened",
    "support.messaged",
    "community.shared",
    "community.reviewed",
    "community.checked_in",
    "community.asked",
)
_TEXTS: Final = frozenset({"text", "subject"})
# `text_gone` marks those done, so that an import of old events is found as well.
_OLD_TEXTS: Final = """
SELECT profile_id, at, uid, value FROM event
WHERE at < $1 AND type = ANY($2::text[]) AND NOT text_gone
  AND (type LIKE 'support.%' OR type LIKE 'community.%')
ORDER BY profile_id, at, uid LIMIT $3 FOR UPDATE
"""
_TAKE_TEXT: Final = """
UPDATE event e SET value = n.value, text_gone = true
FROM unnest($1::text[], $2::bigint[], $3::uuid[], $4::bytea[]) AS n (profile_id, at, uid, value)
WHERE e.profile_id = n.profile_id AND e.at = n.at AND e.uid = n.uid
"""
_TOMBSTONES: Final = """
DELETE FROM tombstone WHERE (digest, erasure_id) IN (
  SELECT digest, erasure_id FROM tombstone WHERE until < $1 ORDER BY 1, 2 LIMIT $2)
"""
_ERASURES: Final = """
DELETE FROM erasure WHERE erasure_id IN (
  SELECT erasure_id FROM erasure WHERE ended_at < $1 ORDER BY 1 LIMIT $2)
"""


def data_classes() -> tuple[DataClass, ...]:
    return (
        dead_letters(),
        DataClass("support_text", _take_texts),
        DataClass("tombstones", by_statement(_TOMBSTONES)),
        DataClass("erasure_notes", by_statement(_ERASURES)),
    )


def without_text(value: bytes) -> bytes:
    """The event (JSON) with what somebody wrote emptied. Facts never hold it, so none changes."""
    event = decode_logged(value)
    properties = msgspec.json.decode(event.properties, type=dict[str, Raw])
    emptied = {name: Raw(b'""') if name in _TEXTS else part for name, part in properties.items()}
    return encode_event(replace(event, properties=Raw(msgspec.json.encode(emptied))))


async def _take_texts(tx: Connection, before: Instant) -> int:
    rows = await tx.fetch(_OLD_TEXTS, before, list(_WITH_TEXT), PAGE)
    if rows:
        await tx.execute(
            _TAKE_TEXT,
            [row["profile_id"] for row in rows],
            [row["at"] for row in rows],
            [row["uid"] for row in rows],
            [without_text(row["value"]) for row in rows],
        )
    return len(rows)
