"""A person's change as it travels on `profile.changed`."""

import hashlib
import uuid
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Raw, Struct

from services.profile.domain.change import Change
from services.profile.domain.packed import PackedSnapshot
from services.profile.domain.person_event import PersonEvent
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause, encode

# Names of our own making; any constant UUID does, as long as it never changes.
_NAMES: Final = uuid.UUID("8a0c6f0e-5d0b-5b7e-9a52-6f1d0a7c41f3")
_NAMED: Final = hashlib.sha1(_NAMES.bytes, usedforsecurity=False)
Traceparent = Callable[[PersonEvent], str]


class PackedChange(Struct, frozen=True, omit_defaults=True):
    """`ProfileChanged`, field by field, its snapshot packed already."""

    message_id: str
    at: Instant
    snapshot: Raw
    changed: tuple[str, ...] = ()
    tags_added: tuple[str, ...] = ()
    tags_removed: tuple[str, ...] = ()
    cause: tuple[Cause, ...] = ()
    merged_into: str | None = None
    erased: bool = False
    parted_from: dict[str, int] = {}


def message_id(profile_id: str, version: int) -> uuid.UUID:
    return _uuid5(f"{profile_id}/{version}")


def new_profile_id(event: PersonEvent) -> str:
    """The id of somebody first met through this event."""
    return str(_uuid5(event.uid.hex()))


def _uuid5(name: str) -> uuid.UUID:
    """As the library's own function, which takes three times as long."""
    digest = _NAMED.copy()
    digest.update(name.encode())
    return uuid.UUID(bytes=digest.digest()[:16], version=5)


def changed_message(
    identity: str,
    change: Change,
    packed: bytes,
    traceparent: Traceparent,
    parted_from: Mapping[str, int],
) -> bytes:
    after = change.after.snapshot
    return encode(
        PackedChange(
            identity,
            after.updated_at,
            Raw(packed),
            (*sorted(change.changed), "profile"),
            change.tags_added,
            change.tags_removed,
            tuple(_cause(event, traceparent(event)) for event in change.cause),
            parted_from=dict(parted_from),
        )
    )


def merged_message(identity: str, snapshot: PackedSnapshot, kept: str, now: Instant) -> bytes:
    """The last word about somebody merged away; `snapshot` has their last version + 1."""
    return encode(
        PackedChange(
            identity,
            now,
            Raw(encode(snapshot)),
            ("profile",),
            merged_into=kept,
        )
    )


def erased_message(identity: str, snapshot: PackedSnapshot, now: Instant) -> bytes:
    """The last word about somebody erased; `snapshot` holds their ids and nothing else."""
    packed = Raw(encode(snapshot))
    return encode(PackedChange(identity, now, packed, ("profile",), erased=True))


def _cause(event: PersonEvent, traceparent: str) -> Cause:
    return Cause(
        event.event_id,
        event.type,
        event.source,
        event.at,
        event.received_at,
        event.imported,
        Raw(event.whole),
        traceparent,
    )
