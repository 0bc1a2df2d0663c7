"""Segments: what operators define and what travels when somebody enters or leaves."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from zhiyin.contracts.instants import Instant

Key = Annotated[str, Meta(pattern="^[a-z0-9][a-z0-9._-]{0,62}$")]


class SegmentSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """`rule` is checked by `zhiyin.rules.parse`."""

    key: Key
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    rule: Any
    description: Annotated[str, Meta(max_length=2000)] = ""


class SegmentChanged(Struct, frozen=True, omit_defaults=True):
    """`at` is the instant at which it became true (the flip itself when time caused it);
    `decided_at` when we said so. Only `event` and `time` enter people into campaigns, and an
    `event` that was `imported` does not."""

    message_id: str
    profile_id: str
    segment: str
    change: Literal["entered", "left"]
    at: Instant
    decided_at: Instant
    cause: Literal["event", "time", "backfill", "rule", "merge", "erasure"]
    rule_version: int
    profile_version: int
    event_ids: tuple[str, ...] = ()
    imported: bool = False
    received_at: Instant | None = None  # of the newest causing event at the gateway


_decoder = msgspec.msgpack.Decoder(SegmentChanged)


def decode_segment_changed(value: bytes) -> SegmentChanged:
    return _decoder.decode(value)
