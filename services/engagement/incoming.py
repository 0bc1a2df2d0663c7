"""Records of the topics engagement follows, decoded as far as they are needed."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from msgspec import Raw, Struct

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause, Snapshot, decode_snapshot
from zhiyin.contracts.segments import SegmentChanged, decode_segment_changed
from zhiyin.contracts.topics import PROFILE_CHANGED, SEGMENT_CHANGED
from zhiyin.runtime.batch import Rejected
from zhiyin.runtime.log import Record
from zhiyin.runtime.telemetry import extract

TOPICS: Final = (PROFILE_CHANGED, SEGMENT_CHANGED)


class _Envelope(Struct, frozen=True):
    """`ProfileChanged` with its snapshot left packed: most changes concern no campaign."""

    message_id: str
    at: Instant
    snapshot: Raw
    changed: tuple[str, ...] = ()
    tags_added: tuple[str, ...] = ()
    cause: tuple[Cause, ...] = ()
    merged_into: str | None = None
    erased: bool = False
    parted_from: dict[str, int] = {}


class _Head(Struct, frozen=True):
    profile_id: str
    version: int
    merged_from: tuple[str, ...] = ()


_envelope: Final = msgspec.msgpack.Decoder(_Envelope).decode
_head: Final = msgspec.msgpack.Decoder(_Head).decode


@dataclass(frozen=True, slots=True)
class Change:
    """A person's change. `packed` is their snapshot as it came, `merged_from` part of it."""

    message_id: str
    profile_id: str
    version: int
    at: Instant
    packed: bytes
    changed: tuple[str, ...]
    tags_added: tuple[str, ...]
    causes: tuple[Cause, ...]
    merged_into: str | None
    erased: bool
    traceparent: str
    merged_from: tuple[str, ...]
    parted_from: dict[str, int]

    def snapshot(self) -> Snapshot:
        return decode_snapshot(self.packed)


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody entered or left a segment."""

    change: SegmentChanged
    traceparent: str


@dataclass(frozen=True, slots=True)
class Incoming:
    """In the order of the log, people before segments: a decision then sees the newest person."""

    changes: tuple[Change, ...]
    crossings: tuple[Crossing, ...]
    rejected: tuple[Rejected, ...]

    @property
    def people(self) -> set[str]:
        """Everybody it speaks of."""
        kept = {change.merged_into for change in self.changes if change.merged_into is not None}
        changed = {change.profile_id for change in self.changes}
        return kept | changed | {each.change.profile_id for each in self.crossings}

    @property
    def formerly(self) -> set[str]:
        """Everybody who turns out to have been one of these people."""
        return {former for change in self.changes for former in change.merged_from}


def read(records: Sequence[Record]) -> Incoming:
    changes: list[Change] = []
    crossings: list[Crossing] = []
    rejected: list[Rejected] = []
    for record in records:
        traceparent = extract(record.headers) or ""
        try:
            if record.topic == PROFILE_CHANGED:
                changes.append(_change(record, traceparent))
            else:
                crossings.append(Crossing(decode_segment_changed(record.value), traceparent))
        except msgspec.MsgspecError as error:
            rejected.append(Rejected(record, "malformed", str(error)))
    return Incoming(tuple(changes), tuple(crossings), tuple(rejected))


def _change(record: Record, traceparent: str) -> Change:
    envelope = _envelope(record.value)
    packed = bytes(envelope.snapshot)
    head = _head(packed)
    return Change(
        message_id=envelope.message_id,
        profile_id=head.profile_id,
        version=head.version,
        at=envelope.at,
        packed=packed,
        changed=envelope.changed,
        tags_added=envelope.tags_added,
        causes=envelope.cause,
        merged_into=envelope.merged_into,
        erased=envelope.erased,
        traceparent=traceparent,
        merged_from=head.merged_from,
        parted_from=envelope.parted_from,
    )
