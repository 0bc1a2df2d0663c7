"""Records of `events.*` to typed events, remembering where each came from."""

from collections.abc import Sequence
from typing import NamedTuple

from services.profile.domain.person_event import PersonEvent
from services.profile.domain.reading import Reader, Refusal
from services.profile.store import Logged
from zhiyin.runtime.batch import Rejected
from zhiyin.runtime.log import Record
from zhiyin.runtime.telemetry import extract


class Arrivals(NamedTuple):
    """`events`: each once, in the order of the log; `records`: event → the record it came in."""

    events: list[PersonEvent]
    records: dict[bytes, Record]
    rejected: list[Rejected]


def arrivals(reader: Reader, records: Sequence[Record]) -> Arrivals:
    found = Arrivals([], {}, [])
    for record in records:
        event = reader.read(record.value, record.timestamp_ms * 1000)
        if isinstance(event, Refusal):
            found.rejected.append(Rejected(record, event.code, event.reason))
        elif event.uid not in found.records:
            found.records[event.uid] = record
            found.events.append(event)
    return found


def from_log(reader: Reader, logged: Sequence[Logged]) -> list[PersonEvent]:
    """Events of our own event log. Raises ValueError for one that can no longer be read, since
    facts without it would be wrong."""
    return [own(reader, one.value) for one in logged]


def own(reader: Reader, value: bytes) -> PersonEvent:
    event = reader.read_logged(value)
    if isinstance(event, Refusal):
        raise ValueError(f"an event of the event log cannot be read: {event.reason}")
    return event


def traceparent_of(record: Record | None) -> str:
    return (extract(record.headers) if record is not None else None) or ""
