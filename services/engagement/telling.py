"""Appends what engagement learns of people to the event log."""

from collections.abc import Sequence
from typing import Protocol

from zhiyin.contracts.events import Event, encode_event, event_key
from zhiyin.contracts.topics import topic_of
from zhiyin.runtime.log import Message, Position
from zhiyin.runtime.telemetry import inject


class Log(Protocol):
    async def append(self, messages: Sequence[Message]) -> Sequence[Position]: ...


class Teller:
    def __init__(self, log: Log) -> None:
        self._log = log

    async def tell(self, events: Sequence[Event], traceparent: str | None = None) -> None:
        """Returns once they are durable. Their ids are derived, so that telling again what may have
        been told counts once. Raises LogUnavailable."""
        if events:
            headers = inject((), traceparent)
            await self._log.append(
                [
                    Message(
                        topic_of(each.type), event_key(each.customer), encode_event(each), headers
                    )
                    for each in events
                ]
            )
