"""How records lie in PostgreSQL: chunks of those appended together, one row each."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any, Final

import asyncpg
import msgspec

from zhiyin.runtime.log.interface import Headers, Message, Partition, Position, Record, partition_of

_LARGEST_CHUNK: Final = 128 * 1024
_MOST_CHUNKS: Final = 512
_BYTES_PER_PARTITION: Final = 512 * 1024
BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)

# Heads are locked in order, so that writers cannot deadlock, and until the commit, so that no
# offset is visible before a smaller one.
_APPEND: Final = """
WITH given AS (
  SELECT * FROM unnest($1::text[], $2::int[], $3::int[], $4::int[], $5::bytea[])
    AS g(topic, partition, through, count, body)
), locked AS (
  SELECT h.topic, h.partition, g.n FROM head h
  JOIN (SELECT topic, partition, max(through) AS n FROM given GROUP BY 1, 2) g
    USING (topic, partition)
  ORDER BY h.topic, h.partition FOR UPDATE OF h
), moved AS (
  UPDATE head h SET next = h.next + l.n, at = greatest(h.at, clock_timestamp()) FROM locked l
  WHERE h.topic = l.topic AND h.partition = l.partition
  RETURNING h.topic, h.partition, h.next - l.n AS base, h.at
), put AS (
  INSERT INTO chunk (topic, partition, last, count, size, at, body)
  SELECT m.topic, m.partition, m.base + g.through - 1, g.count, length(g.body), m.at, g.body
  FROM moved m JOIN given g USING (topic, partition)
)
SELECT topic, partition, base FROM moved
"""
# `since` only lets PostgreSQL skip the tables of days already read. The running sum bounds what
# is read at once, in bytes; the body is not touched before that.
_READ: Final = f"""
SELECT p.topic, p.partition, c.last, c.count, c.at, c.body
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::timestamptz[])
  AS p(topic, partition, position, since)
CROSS JOIN LATERAL (
  SELECT k.* FROM (
    SELECT last, count, at, body, sum(size) OVER (ORDER BY last) - size AS before FROM chunk
    WHERE topic = p.topic AND partition = p.partition AND last >= p.position AND at >= p.since
    ORDER BY last LIMIT {_MOST_CHUNKS}
  ) k WHERE k.before < {_BYTES_PER_PARTITION}
) c ORDER BY p.topic, p.partition, c.last
"""  # noqa: S608 - our own constants

_Stored = tuple[str, bytes, Headers]
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(list[_Stored]).decode


async def append_chunks(
    connection: asyncpg.Connection, messages: Sequence[Message], partitions: Mapping[str, int]
) -> list[Position]:
    """Append atomically; commits unless in a transaction. Positions in the order given."""
    grouped: dict[Partition, list[Message]] = {}
    places: list[tuple[Partition, int]] = []
    for message in messages:
        number = partition_of(message.key, partitions[message.topic])
        group = grouped.setdefault(Partition(message.topic, number), [])
        places.append((Partition(message.topic, number), len(group)))
        group.append(message)
    columns: tuple[list[Any], ...] = ([], [], [], [], [])
    for partition, group in grouped.items():
        for chunk in _chunks(group):
            for column, value in zip(columns, (*partition, *chunk), strict=True):
                column.append(value)
    rows = await connection.fetch(_APPEND, *columns)
    bases = {Partition(topic, number): base for topic, number, base in rows}
    return [Position(*partition, bases[partition] + place) for partition, place in places]


def _chunks(group: Sequence[Message]) -> Iterable[tuple[int, int, bytes]]:
    """(how many of the group up to its end, count, body) of each chunk."""
    start = size = 0
    for end, message in enumerate(group, 1):
        size += len(message.value) + 64
        if size >= _LARGEST_CHUNK or end == len(group):
            body = _encode([(m.key, m.value, m.headers) for m in group[start:end]])
            yield end, end - start, body
            start, size = end, 0


async def read_chunks(
    connection: asyncpg.Connection, positions: Mapping[Partition, tuple[int, datetime]]
) -> dict[Partition, list[Any]]:
    """The chunks from each position on, oldest first. `positions` also says how old chunks may
    be at most (BEFORE_ALL when unknown)."""
    rows = await connection.fetch(
        _READ,
        [partition.topic for partition in positions],
        [partition.number for partition in positions],
        [position for position, _ in positions.values()],
        [since for _, since in positions.values()],
    )
    found: dict[Partition, list[Any]] = {}
    for row in rows:
        found.setdefault(Partition(row[0], row[1]), []).append(row)
    return found


def may_be_more(chunks: Sequence[Any]) -> bool:
    """Whether reading stopped at a limit rather than at the end."""
    return (
        len(chunks) >= _MOST_CHUNKS
        or sum(len(chunk["body"]) for chunk in chunks) >= _BYTES_PER_PARTITION
    )


def records_of(row: Any, position: int) -> Iterable[Record]:
    """The records of a chunk from `position` on."""
    topic, number, last, count, at, body = row
    base = last - count + 1
    milliseconds = int(at.timestamp() * 1000)
    skipped = max(0, position - base)
    for offset, (key, value, headers) in enumerate(
        islice(_decode(body), skipped, None), base + skipped
    ):
        yield Record(topic, number, offset, key, value, headers, milliseconds)
