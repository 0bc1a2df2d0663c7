"""Positions under a fence: how far this service has applied each partition, and who may go on.

`epoch` goes up with every gain, so of two members that both believe they hold a partition only the
one that gained it last can move the position, and only from where it stands.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from zhiyin.runtime.batch import Connection
from zhiyin.runtime.log import Partition, Record

_GAIN: Final = """
INSERT INTO position AS p (topic, partition, epoch, next)
SELECT topic, partition, 1, first
FROM unnest($1::text[], $2::int[], $3::bigint[]) AS g(topic, partition, first)
ORDER BY topic, partition
ON CONFLICT (topic, partition) DO UPDATE SET epoch = p.epoch + 1
RETURNING topic, partition, epoch, next, anchor_offset, anchor
"""
_MOVE: Final = """
UPDATE position p SET next = m.hi, anchor_offset = m.hi - 1, anchor = m.anchor
FROM unnest($1::text[], $2::int[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bytea[])
  AS m(topic, partition, epoch, lo, hi, anchor)
WHERE p.topic = m.topic AND p.partition = m.partition AND p.epoch = m.epoch AND p.next = m.lo
"""
_HOLD: Final = """
SELECT count(*) FROM (
  SELECT 1 FROM position p
  JOIN unnest($1::text[], $2::int[], $3::bigint[]) AS h(topic, partition, epoch)
    USING (topic, partition)
  WHERE p.epoch = h.epoch ORDER BY p.topic, p.partition FOR SHARE OF p
) held
"""
_READ: Final = """
SELECT p.topic, p.partition, p.epoch, p.next
FROM position p JOIN unnest($1::text[], $2::int[]) AS w(topic, partition) USING (topic, partition)
"""


class Fenced(Exception):
    """Somebody else holds the partition, or the position is not where we thought."""


class Stand(NamedTuple):
    """Where a partition stands, and under which epoch."""

    epoch: int
    next: int


class Gain(NamedTuple):
    """A partition as it was found when gained, under its new epoch."""

    stand: Stand
    anchor_offset: int | None
    anchor: bytes | None


class Step(NamedTuple):
    """A move of one partition's position, by one batch; `last` is the batch's last record."""

    stand: Stand
    last: Record

    @property
    def end(self) -> int:
        return self.last.offset + 1


def anchor_of(record: Record) -> bytes:
    """A digest by which the same record is recognised."""
    return hashlib.blake2b(record.key.encode() + b"\0" + record.value, digest_size=16).digest()


async def gain(tx: Connection, firsts: Mapping[Partition, int]) -> dict[Partition, Gain]:
    """Take partitions over. Those never read before start at `firsts`."""
    rows = await tx.fetch(
        _GAIN,
        [partition.topic for partition in firsts],
        [partition.number for partition in firsts],
        list(firsts.values()),
    )
    return {Partition(row[0], row[1]): Gain(Stand(row[2], row[3]), row[4], row[5]) for row in rows}


async def move(tx: Connection, steps: Mapping[Partition, Step]) -> None:
    """Move positions, or raise Fenced. First statement of every batch: it also makes members that
    overlap wait for each other."""
    status: str = await tx.execute(
        _MOVE,
        [partition.topic for partition in steps],
        [partition.number for partition in steps],
        [step.stand.epoch for step in steps.values()],
        [step.stand.next for step in steps.values()],
        [step.end for step in steps.values()],
        [anchor_of(step.last) for step in steps.values()],
    )
    if int(status.rpartition(" ")[2]) != len(steps):
        raise Fenced


async def hold(tx: Connection, stands: Mapping[Partition, Stand]) -> None:
    """Keep others from gaining these until the transaction ends, or raise Fenced."""
    held: int = await tx.fetchval(
        _HOLD,
        [partition.topic for partition in stands],
        [partition.number for partition in stands],
        [stand.epoch for stand in stands.values()],
    )
    if held != len(stands):
        raise Fenced


async def read(tx: Connection, partitions: Collection[Partition]) -> dict[Partition, Stand]:
    rows = await tx.fetch(
        _READ,
        [partition.topic for partition in partitions],
        [partition.number for partition in partitions],
    )
    return {Partition(row[0], row[1]): Stand(row[2], row[3]) for row in rows}


def steps_of(records: Sequence[Record], stands: Mapping[Partition, Stand]) -> dict[Partition, Step]:
    """The moves a batch makes. Raises Fenced when one of its partitions is not held any more."""
    lasts = {(record.topic, record.partition): record for record in records}
    try:
        return {Partition(*p): Step(stands[Partition(*p)], last) for p, last in lasts.items()}
    except KeyError as error:
        raise Fenced from error
