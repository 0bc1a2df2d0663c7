"""Records and timers that can never be applied, set aside with the reason, to be looked at and
replayed."""

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import instant, rfc3339
from zhiyin.runtime.batch import Connection, Outgoing, Rejected, Timer
from zhiyin.runtime.log import Message
from zhiyin.runtime.log.interface import Headers
from zhiyin.runtime.outbox import insert
from zhiyin.runtime.timers import set_timers

TIMER: Final = "(timer)"
REPLAY_OF: Final = "replay-of"
_LONGEST_REASON: Final = 2000
_SHOWN: Final = 4096

_INSERT: Final = """
INSERT INTO dead_letter (topic, partition, "offset", key, value, headers, code, reason)
SELECT * FROM unnest($1::text[], $2::int[], $3::bigint[], $4::text[], $5::bytea[], $6::bytea[],
  $7::text[], $8::text[])
"""
_LIST: Final = """
SELECT id, topic, partition, "offset", key, value, headers, code, reason, at, replayed_at
FROM dead_letter WHERE ($1::bigint IS NULL OR id < $1) ORDER BY id DESC LIMIT $2
"""
_CLAIM: Final = """
UPDATE dead_letter SET replayed_at = clock_timestamp() WHERE id = $1 AND replayed_at IS NULL
RETURNING topic, partition, key, value, headers
"""

_FORGET: Final = """
DELETE FROM dead_letter d WHERE d.key = ANY($1::text[])
  OR EXISTS (SELECT FROM unnest($2::bytea[]) AS n (needle) WHERE position(needle IN d.value) > 0)
"""

_headers: Final = msgspec.msgpack.Decoder(Headers).decode
_timer: Final = msgspec.msgpack.Decoder(Timer).decode
_encode: Final = msgspec.msgpack.Encoder().encode


class DeadLetter(Struct, frozen=True):
    """A dead letter as it is shown; `value` is its beginning, as text."""

    id: int
    topic: str
    partition: int
    offset: int
    key: str
    value: str
    headers: dict[str, str]
    code: str
    reason: str
    at: str
    replayed_at: str | None


async def set_aside(tx: Connection, rejected: Sequence[Rejected]) -> None:
    """In the transaction that moves the position past them."""
    if not rejected:
        return
    records = [item.record for item in rejected]
    await tx.execute(
        _INSERT,
        [record.topic for record in records],
        [record.partition for record in records],
        [record.offset for record in records],
        [_storable(record.key) for record in records],
        [record.value for record in records],
        [_encode(record.headers) for record in records],
        [item.code for item in rejected],
        [_storable(item.reason)[:_LONGEST_REASON] for item in rejected],
    )


async def set_timer_aside(tx: Connection, timer: Timer, reason: str) -> None:
    """In the transaction that deletes it."""
    row = [[TIMER], [timer.partition], [0], [timer.key], [_encode(timer)], [_encode(())]]
    await tx.execute(_INSERT, *row, ["raised"], [_storable(reason)[:_LONGEST_REASON]])


async def list_dead_letters(
    connection: Connection, before: int | None, limit: int
) -> list[DeadLetter]:
    """Newest first."""
    return [_shown(row) for row in await connection.fetch(_LIST, before, limit)]


async def replay(tx: Connection, id_: int) -> bool:
    """Send it through again: the record's bytes go back to their topic by way of the outbox, so
    exactly when this transaction commits. False when there is none, or it was replayed before."""
    row = await tx.fetchrow(_CLAIM, id_)
    if row is None:
        return False
    topic, partition, key, value, headers = row
    if topic == TIMER:
        await set_timers(tx, [_timer(value)])
    else:
        marked = (*_headers(headers), (REPLAY_OF, str(id_).encode()))
        message = Message(topic, key, value, marked)
        await insert(tx, [Outgoing(uuid.uuid5(uuid.NAMESPACE_OID, f"{id_}"), partition, message)])
    return True


async def forget_mentions(tx: Connection, keys: Sequence[str], needles: Sequence[bytes]) -> int:
    """Delete the dead letters with one of these keys, or with one of `needles` in their value;
    how many there were."""
    status: str = await tx.execute(_FORGET, list(keys), list(needles))
    return int(status.rpartition(" ")[2])


def _shown(row: Any) -> DeadLetter:
    id_, topic, partition, offset, key, value, headers, code, reason, at, replayed_at = row
    pairs = {name: text.decode("utf-8", "replace") for name, text in _headers(headers)}
    start = value[:_SHOWN].decode("utf-8", "replace")
    times = (_text(at), None if replayed_at is None else _text(replayed_at))
    return DeadLetter(id_, topic, partition, offset, key, start, pairs, code, reason, *times)


def _text(at: datetime) -> str:
    return rfc3339(instant(at))


def _storable(text: str) -> str:
    """PostgreSQL's text holds neither U+0000 nor lone surrogates."""
    return text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
