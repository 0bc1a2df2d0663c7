"""Where one partition is being read, and what has been read ahead."""

from collections import deque
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Any

from zhiyin.runtime.log.chunks import BEFORE_ALL, may_be_more, records_of
from zhiyin.runtime.log.interface import OffsetOutOfRange, Partition, Record


class Reader:
    """`fresh` says that PostgreSQL may hold more than has been read."""

    def __init__(self, partition: Partition, position: int) -> None:
        self.partition = partition
        self.position = position
        self.since = BEFORE_ALL
        self.fresh = True
        self.records: deque[Record] = deque()

    def add(self, chunks: Sequence[Any]) -> None:
        """Take in what was read from `position` on. Raises OffsetOutOfRange at a gap."""
        for chunk in chunks:
            records = list(records_of(chunk, self.position))
            if records[0].offset != self.position:
                raise OffsetOutOfRange(f"{self.partition} has no offset {self.position} any more")
            self.records.extend(records)
            self.position = records[-1].offset + 1
            self.since = chunk["at"]
        if may_be_more(chunks):
            self.fresh = True

    def compare(self, before: int, first: int, end: int) -> bool:
        """Whether there is something new, given what the log held when we looked, `before` being
        our position just before. Raises OffsetOutOfRange."""
        if self.position < first or before > end:
            raise OffsetOutOfRange(
                f"{self.partition} holds {first} to {end}, not position {self.position}"
            )
        if end > self.position:
            self.fresh = True
        return end > self.position


def take(readers: Iterable[Reader], limit: int) -> dict[Partition, Sequence[Record]]:
    """Up to `limit` records in all, those of the partition that has waited longest first."""
    found: dict[Partition, Sequence[Record]] = {}
    waiting = [reader for reader in readers if reader.records]
    for reader in sorted(waiting, key=lambda reader: reader.records[0].timestamp_ms):
        records = reader.records
        count = min(limit, len(records))
        if count == len(records):
            found[reader.partition] = list(records)
            records.clear()
        else:
            found[reader.partition] = list(islice(records, count))
            for _ in range(count):
                records.popleft()
        limit -= count
        if limit == 0:
            break
    return found
