"""Messages that go out once their transaction has committed.

One row per batch and partition number. A row is deleted by a later transaction, once its messages
are in the log and what follows a commit (hot copies) is done; so whoever takes over a partition
finds what its last holder may have left undone.
"""

import uuid
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from zhiyin.runtime.batch import Connection, Outgoing
from zhiyin.runtime.log import Message
from zhiyin.runtime.log.interface import LARGEST_MESSAGE, Headers

ID_HEADER: Final = "id"
MOST_ROWS: Final = 200

_INSERT: Final = """
INSERT INTO outbox (partition, messages, count)
SELECT * FROM unnest($1::int[], $2::bytea[], $3::int[])
"""
# Rows of ours, and in front of them rows that others (an API call, the last holder) committed
# before: whatever the transaction saw of their effects, their messages go first.
_WRITE: Final = f"""
WITH gone AS (DELETE FROM outbox WHERE (partition, seq) IN
    (SELECT * FROM unnest($1::int[], $2::bigint[]))),
  put AS ({_INSERT.replace("$3", "$5").replace("$2", "$4").replace("$1", "$3")}
    RETURNING partition, seq)
SELECT partition, seq, messages FROM (
  SELECT partition, seq, messages FROM outbox
  WHERE partition = ANY($6::int[]) AND seq <> ALL($7::bigint[]) ORDER BY seq LIMIT {MOST_ROWS}
) others UNION ALL SELECT partition, seq, NULL FROM put ORDER BY 2
"""  # noqa: S608 - our own constants
_READ: Final = """
SELECT partition, seq, messages FROM outbox
WHERE (partition, seq) IN (SELECT * FROM unnest($1::int[], $2::bigint[])) ORDER BY seq
"""

_Packed = tuple[uuid.UUID, str, str, bytes, Headers]
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[_Packed]).decode


class Row(NamedTuple):
    """Names a row of the outbox."""

    partition: int
    seq: int


class Letter(NamedTuple):
    """A row with its messages. `foreign`: not written by the batch at hand; `size`: in bytes."""

    row: Row
    outgoing: Sequence[Outgoing]
    foreign: bool
    size: int


async def write(
    tx: Connection,
    outgoing: Sequence[Outgoing],
    done: Collection[Row],
    numbers: Collection[int],
    known: Collection[Row],
) -> list[Letter]:
    """Add `outgoing`, delete what is `done`, and return everything of `numbers` that is to be
    published and not `known` yet, in order."""
    groups = _grouped(outgoing)
    rows = await tx.fetch(
        _WRITE,
        [row.partition for row in done],
        [row.seq for row in done],
        *_columns(groups),
        list(numbers),
        [row.seq for row in known],
    )
    letters = []
    for partition, seq, messages in rows:
        mine = messages is None
        content = groups[partition] if mine else _unpack(partition, messages)
        letters.append(Letter(Row(partition, seq), content, not mine, _size(content)))
    return letters


async def insert(tx: Connection, outgoing: Sequence[Outgoing]) -> None:
    """Add messages whose partitions' owners will find them."""
    if outgoing:
        await tx.execute(_INSERT, *_columns(_grouped(outgoing)))


async def read(tx: Connection, rows: Sequence[Row]) -> list[Letter]:
    """Those of `rows` that are still there."""
    found = await tx.fetch(_READ, [row.partition for row in rows], [row.seq for row in rows])
    return [
        Letter(Row(partition, seq), _unpack(partition, messages), True, len(messages))
        for partition, seq, messages in found
    ]


def published_form(outgoing: Outgoing) -> Message:
    """The message with its id among the headers."""
    topic, key, value, headers = outgoing.message
    return Message(topic, key, value, (*headers, (ID_HEADER, outgoing.id.hex.encode())))


def _size(outgoing: Sequence[Outgoing]) -> int:
    return sum(len(item.message.value) for item in outgoing)


def _grouped(outgoing: Sequence[Outgoing]) -> dict[int, list[Outgoing]]:
    groups: dict[int, list[Outgoing]] = {}
    for item in outgoing:
        if len(item.message.value) > LARGEST_MESSAGE:
            raise ValueError(f"a message on {item.message.topic} is too large to publish")
        groups.setdefault(item.partition, []).append(item)
    return groups


def _columns(groups: Mapping[int, Sequence[Outgoing]]) -> tuple[list[int], list[bytes], list[int]]:
    packed = [_encode([(item.id, *item.message) for item in group]) for group in groups.values()]
    return list(groups), packed, [len(group) for group in groups.values()]


def _unpack(partition: int, messages: bytes) -> list[Outgoing]:
    return [
        Outgoing(id_, partition, Message(topic, key, value, headers))
        for id_, topic, key, value, headers in _decode(messages)
    ]
