"""Tombstones: what keeps an event that was on its way from bringing an erased person back.

Each of the person's identifiers leaves a digest. While the erasure is under way every event that
leads there is barred; afterwards those that happened, or came in, before its end. Whoever comes
later is somebody new.
"""

import hashlib
from collections.abc import Collection, Mapping
from typing import Final

from msgspec import Struct

from services.profile.domain.party import PROFILE, Link
from services.profile.domain.person_event import Identifier, PersonEvent
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.properties.customer import CustomerErased

_DIGEST_BYTES: Final = 16


class Tombstone(Struct, frozen=True):
    """`until` None: the erasure is still under way."""

    erasure_id: str
    until: Instant | None


def digest(identifier: Identifier) -> bytes:
    """What is kept in place of an identifier: 128 bits of BLAKE2b."""
    namespace, token = identifier
    return hashlib.blake2b(f"{namespace}\0{token}".encode(), digest_size=_DIGEST_BYTES).digest()


def may_be_barred(event: PersonEvent, latest: Instant | None) -> bool:
    """Whether tombstones have to be asked; `latest`: when the last erasure ended, None while one
    is under way."""
    return latest is None or min(event.at, event.received_at) <= latest


def barring(
    event: PersonEvent,
    tombstones: Mapping[bytes, Collection[Tombstone]],
    links: Mapping[Identifier, Link],
) -> Tombstone | None:
    """The tombstone that bars an event. Its strongest identifiers are asked first: what leads to
    somebody who is there is theirs, whatever weaker identifier it carries beside."""
    if isinstance(event.properties, CustomerErased):
        return None
    for identifier in event.identifiers:
        for tombstone in tombstones.get(digest(identifier), ()):
            if may_be_barred(event, tombstone.until):
                return tombstone
        link = links.get(identifier)
        if link is not None and not link.shared:
            return None
    return None


def marks_of(profile_ids: Collection[str], identifiers: Collection[Identifier]) -> list[bytes]:
    """The digests an erased person leaves."""
    return sorted(
        {digest(each) for each in identifiers} | {digest((PROFILE, i)) for i in profile_ids}
    )
