"""What decisions have to know about people beside their profile, in one round trip."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from services.engagement.domain.pressure import Contact
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_SEGMENT: Final = 1
_ENTRY: Final = 2
# Messages that count against the caps: decided since then, and not failed.
_KNOWN: Final = f"""
SELECT {_SEGMENT}, profile_id, segment, '', 0::bigint FROM member
WHERE profile_id = ANY($1::text[]) AND inside
UNION ALL
SELECT {_ENTRY}, profile_id, campaign, '', max(entered_at) FROM run
WHERE profile_id = ANY($1::text[]) GROUP BY profile_id, campaign
UNION ALL
SELECT 3, profile_id, purpose, coalesce(channel, ''), at FROM action
WHERE profile_id = ANY($1::text[]) AND at > $2 AND kind = 'message'
  AND purpose IN ('marketing', 'care') AND state IN ('decided', 'sent')
"""  # noqa: S608 - our own constants


@dataclass(slots=True)
class Known:
    """Of one person: segments they are in, when they last entered each campaign, and messages
    since the instant asked about."""

    segments: set[str] = field(default_factory=set)
    last_entry: dict[str, Instant] = field(default_factory=dict)
    contacts: list[Contact] = field(default_factory=list)


async def about(tx: Connection, ids: Collection[str], since: Instant) -> dict[str, Known]:
    """Of each of these people; `since`: which messages count."""
    known = {profile_id: Known() for profile_id in ids}
    if not known:
        return known
    for what, profile_id, name, channel, at in await tx.fetch(_KNOWN, list(known), since):
        if what == _SEGMENT:
            known[profile_id].segments.add(name)
        elif what == _ENTRY:
            known[profile_id].last_entry[name] = at
        else:
            known[profile_id].contacts.append(Contact(at, channel, name))
    return known
