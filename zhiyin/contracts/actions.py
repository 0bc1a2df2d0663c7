"""Actions: what engagement decided to do for a person, as it travels on `action.decided`."""

import msgspec
from msgspec import Raw, Struct, field

from zhiyin.contracts.instants import Instant


class ActionDecided(Struct, frozen=True, omit_defaults=True):
    """`action_id`: uuid5 of (campaign, version, occurrence, profile, step), stable over retries."""

    action_id: str
    profile_id: str
    campaign: str
    campaign_version: int
    occurrence: str
    step: str
    kind: str  # coupon, message, webhook, …
    channel: str | None
    purpose: str
    why: str
    at: Instant
    data: Raw = field(default_factory=lambda: Raw(b"\x80"))


_decoder = msgspec.msgpack.Decoder(ActionDecided)


def decode_action_decided(value: bytes) -> ActionDecided:
    return _decoder.decode(value)
