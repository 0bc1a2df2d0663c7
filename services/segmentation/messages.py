"""Records of `profile.changed` to arrivals, and segment changes to messages."""

import uuid
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Raw, Struct

from services.segmentation.domain.arrival import Arrival
from services.segmentation.domain.person import Verdict
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause, decode_snapshot, encode
from zhiyin.contracts.topics import SEGMENT_CHANGED
from zhiyin.runtime.batch import Outgoing, Rejected
from zhiyin.runtime.log import Message, Record
from zhiyin.runtime.telemetry import extract, inject


class _Envelope(Struct, frozen=True):
    """`ProfileChanged` with its snapshot left packed: it is stored as it came."""

    at: Instant
    snapshot: Raw
    changed: tuple[str, ...] = ()
    tags_added: tuple[str, ...] = ()
    cause: tuple[Cause, ...] = ()
    merged_into: str | None = None
    erased: bool = False


_decoder: Final = msgspec.msgpack.Decoder(_Envelope)


def read(records: Sequence[Record]) -> tuple[list[Arrival], list[Rejected]]:
    """Arrivals in the order of the log, and the records that are none."""
    arrivals: list[Arrival] = []
    rejected: list[Rejected] = []
    for record in records:
        try:
            arrivals.append(_arrival(record))
        except msgspec.MsgspecError as error:
            rejected.append(Rejected(record, "malformed", str(error)))
    return arrivals, rejected


def _arrival(record: Record) -> Arrival:
    envelope = _decoder.decode(record.value)
    packed = bytes(envelope.snapshot)
    return Arrival(
        record.partition,
        envelope.at,
        decode_snapshot(packed),
        packed,
        envelope.changed,
        bool(envelope.tags_added),
        envelope.cause,
        envelope.merged_into is not None,
        envelope.erased,
        extract(record.headers),
    )


def write(verdicts: Iterable[Verdict]) -> list[Outgoing]:
    """What to publish, in order per person."""
    return [
        Outgoing(
            uuid.UUID(change.message_id),
            verdict.after.partition,
            Message(
                SEGMENT_CHANGED,
                change.profile_id,
                encode(change),
                inject((), verdict.traceparent),
            ),
        )
        for verdict in verdicts
        for change in verdict.told
    ]
