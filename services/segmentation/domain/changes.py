"""From a flip to the message that tells it, with an id that is the same on every retry."""

import uuid
from collections.abc import Sequence
from hashlib import sha1
from typing import Final

import msgspec
from msgspec import Struct

from services.segmentation.domain.settle import Flip, Occasion
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause
from zhiyin.contracts.properties.customer import CustomerLinked
from zhiyin.contracts.segments import SegmentChanged

_NAMESPACE: Final = uuid.UUID("5d0f6b8e-3c44-5d5b-9c51-6f1f1e2a7b90")


_linked: Final = msgspec.msgpack.Decoder(CustomerLinked)


class News(Struct, frozen=True):
    """What of a profile's change goes on with the segments it changed."""

    occasion: Occasion
    event_ids: tuple[str, ...] = ()
    imported: bool = False
    received_at: Instant | None = None


def news_of(causes: Sequence[Cause], at: Instant, tags_added: bool, now: Instant) -> News:
    """A profile's change dated to its newest event, never later than `now`. Without an event a
    tag ran out by time, or came by a new tag rule. An operator's word on who is who is nothing that
    the customer did."""
    if not causes:
        return News(Occasion("rule" if tags_added else "time", min(at, now)))
    if all(map(_who_is_who, causes)):
        return News(Occasion("merge", min(at, now)))
    return News(
        Occasion("event", min(max(cause.at for cause in causes), now)),
        tuple(cause.event_id for cause in causes),
        all(cause.imported for cause in causes),
        max(cause.received_at for cause in causes),
    )


def derived_id(name: str) -> str:
    """`uuid.uuid5` of a name in our namespace, as text, at a quarter of its cost: a million people
    moved by time need a million of them."""
    digest = bytearray(sha1(_NAMESPACE.bytes + name.encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    text = digest.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _who_is_who(cause: Cause) -> bool:
    if cause.type == "customer.linked":
        return _linked.decode(cause.properties).about_identity
    return cause.type == "customer.unlinked"


def told(
    profile_id: str, profile_version: int, flip: Flip, news: News | None, decided_at: Instant
) -> SegmentChanged:
    """The message of a flip. Only what an event caused names events."""
    change = "entered" if flip.entered else "left"
    name = (
        f"{profile_id}/{flip.segment}/{flip.rule_version}/{profile_version}/{flip.at}"
        f"/{flip.reason}/{change}"
    )
    caused = news if flip.reason == "event" else None
    return SegmentChanged(
        message_id=derived_id(name),
        profile_id=profile_id,
        segment=flip.segment,
        change="entered" if flip.entered else "left",
        at=flip.at,
        decided_at=decided_at,
        cause=flip.reason,
        rule_version=flip.rule_version,
        profile_version=profile_version,
        event_ids=caused.event_ids if caused else (),
        imported=caused.imported if caused else False,
        received_at=caused.received_at if caused else None,
        asked=flip.asked,
    )
