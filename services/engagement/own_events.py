"""Events the platform itself tells of a person: folded by the profile service like any other."""

import uuid
from typing import Any

from services.engagement.domain.news import about
from zhiyin.contracts.events import encode_event, event_key
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.topics import topic_of
from zhiyin.runtime.batch import Outgoing
from zhiyin.runtime.log import Message
from zhiyin.runtime.telemetry import inject


def own_event(
    id_: uuid.UUID,
    type_: str,
    event_id: str,
    profile_id: str,
    partition: int,
    properties: Any,
    at: Instant,
    traceparent: str = "",
) -> Outgoing:
    """`id_` is the message's, derived; `event_id` counts once, like a storefront's."""
    event = about(profile_id, event_id, type_, properties, at)
    message = Message(
        topic_of(type_), event_key(event.customer), encode_event(event), inject((), traceparent)
    )
    return Outgoing(id_, partition, message)
