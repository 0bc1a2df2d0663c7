"""What an event log is, whoever keeps it. Both implementations pass the same contract tests."""

import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

LARGEST_MESSAGE: Final = 8 * 2**20

Headers = tuple[tuple[str, bytes], ...]


class Partition(NamedTuple):
    topic: str
    number: int


class Position(NamedTuple):
    topic: str
    number: int
    offset: int


class Message(NamedTuple):
    """Something to append. Equal keys go to the same partition number in every topic."""

    topic: str
    key: str
    value: bytes
    headers: Headers = ()


class Record(NamedTuple):
    """A message as it stands in the log."""

    topic: str
    partition: int
    offset: int
    key: str
    value: bytes
    headers: Headers
    timestamp_ms: int

    def header(self, name: str) -> bytes | None:
        """The first header of that name."""
        return next((value for key, value in self.headers if key == name), None)


class LogUnavailable(Exception):
    """The log did not confirm: whether it was written is unknown. Try again later."""


class OffsetOutOfRange(Exception):
    """The position asked for is no longer (or not yet) in the log: truncated or recreated."""


class Assignment(Protocol):
    """Told of partitions gained and lost. `lost` may come after somebody else already reads
    them: only the fence in PostgreSQL decides who may write."""

    async def gained(self, partitions: frozenset[Partition]) -> Mapping[Partition, int]:
        """Returns where to start reading each."""
        ...

    async def lost(self, partitions: frozenset[Partition]) -> None: ...


class LogConsumer(Protocol):
    """One member of a consumer group. All topics of a group have equally many partitions and a
    member gets the same partition numbers of each (co-partitioned)."""

    async def start(self, assignment: Assignment) -> None: ...

    async def stop(self) -> None: ...

    async def fetch(
        self, partitions: frozenset[Partition], limit: int, wait: float
    ) -> Mapping[Partition, Sequence[Record]]:
        """Up to `limit` records in all from those of `partitions` that this member holds, in
        offset order per partition; waits up to `wait` seconds for the first one. Safe to call
        at the same time for disjoint sets of partitions. Raises OffsetOutOfRange."""
        ...

    def seek(self, partition: Partition, offset: int) -> None: ...

    async def read_one(self, partition: Partition, offset: int) -> Record | None:
        """The record at one offset, for the anchor check; None when it is gone."""
        ...

    async def bounds(
        self, partitions: Collection[Partition]
    ) -> Mapping[Partition, tuple[int, int]]:
        """Of each, the oldest offset that is kept and the one after the newest."""
        ...

    async def report(self, positions: Mapping[Partition, int]) -> None:
        """Tell the log how far this group is (a lag metric only). Never raises."""
        ...


class Tail(Protocol):
    """Reads on from given positions, outside any group: nobody's share changes by it."""

    async def start(self, positions: Mapping[Partition, int]) -> Mapping[Partition, int]:
        """Where it begins: further on where records are no longer kept. Raises
        LogUnavailable."""
        ...

    async def stop(self) -> None: ...

    async def fetch(self, limit: int, wait: float) -> Sequence[Record]:
        """Up to `limit` records, in offset order per partition and else about as they came; waits
        up to `wait` seconds for the first one. Raises LogUnavailable, OffsetOutOfRange."""
        ...


class EventLog(Protocol):
    async def start(self) -> None: ...

    async def stop(self) -> None: ...

    async def ensure_topics(self, topics: Sequence[str], partitions: int) -> None:
        """Create those that are missing. Existing ones keep their partition count."""
        ...

    async def append(self, messages: Sequence[Message]) -> Sequence[Position]:
        """Returns when every message is durable, positions in the order given. Raises
        LogUnavailable within the configured time-out; ValueError for a message whose value has
        more than LARGEST_MESSAGE bytes, before anything is written."""
        ...

    def consumer(self, group: str, topics: Sequence[str]) -> LogConsumer: ...

    def tail(self) -> Tail: ...

    async def ends(self, topics: Sequence[str]) -> Mapping[Partition, int]:
        """The offset after the newest record of each partition."""
        ...

    async def partitions(self, topic: str) -> int: ...


def partition_of(key: str, partitions: int) -> int:
    """The partition of a key: CRC-32 modulo count, the same on both logs (and librdkafka's
    `consistent` partitioner), so that a deployment can move from one to the other."""
    return zlib.crc32(key.encode()) % partitions
