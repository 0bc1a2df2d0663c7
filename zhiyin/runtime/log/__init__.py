"""The event log behind one small interface, with two implementations: Apache Kafka, PostgreSQL."""

from zhiyin.runtime.log.interface import (
    Assignment,
    EventLog,
    LogConsumer,
    LogUnavailable,
    Message,
    OffsetOutOfRange,
    Partition,
    Position,
    Record,
    Tail,
    partition_of,
)

__all__ = [
    "Assignment",
    "EventLog",
    "LogConsumer",
    "LogUnavailable",
    "Message",
    "OffsetOutOfRange",
    "Partition",
    "Position",
    "Record",
    "Tail",
    "partition_of",
]
