"""What operators do to a person: each command is an event, appended to the log like any other."""

import uuid
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from zhiyin.contracts.events import Event, encode_event, event_key
from zhiyin.contracts.instants import Instant, moment
from zhiyin.contracts.receipts import Mark, receipt_of
from zhiyin.contracts.topics import topic_of
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.log import EventLog, Message
from zhiyin.runtime.telemetry import inject

_SOURCE = "operator"


class Receipt(Struct, frozen=True):
    """What a command answers: `?after=` of a read waits until it is in the answer."""

    profile_id: str
    receipt: str
    accepted: int = 1


def command(
    profile_id: str,
    event_type: str,
    properties: Mapping[str, Any],
    at: Instant,
    event_id: str | None = None,
) -> Event:
    """What an operator does to a person, as an event."""
    now = moment(at)
    return Event(
        event_id or str(uuid.uuid4()),
        event_type,
        now,
        {"profile_id": profile_id},
        Raw(msgspec.json.encode(properties)),
        _SOURCE,
        received_at=now,
    )


class Commands:
    def __init__(self, log: EventLog, clock: Clock) -> None:
        self._log = log
        self._clock = clock

    async def give(
        self,
        profile_id: str,
        event_type: str,
        properties: Mapping[str, Any],
        *,
        traceparent: str | None = None,
        event_id: str | None = None,
    ) -> Receipt:
        """Returns once the event is durable. Given twice with the same `event_id` it counts once.
        Raises LogUnavailable."""
        event = command(profile_id, event_type, properties, self._clock(), event_id)
        message = Message(
            topic_of(event_type),
            event_key(event.customer),
            encode_event(event),
            inject((), traceparent),
        )
        positions = await self._log.append([message])
        marks = [Mark(at.topic, at.number, at.offset + 1) for at in positions]
        return Receipt(profile_id, receipt_of(marks))
