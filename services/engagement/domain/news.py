"""What became of a message, as events that the platform folds like all others."""

import uuid
from typing import Any, Final, Literal

import msgspec

from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import Instant, moment

SOURCE: Final = "engagement"
Became = Literal["delivered", "opened", "clicked", "bounced", "unsubscribed"]
_json: Final = msgspec.json.Encoder().encode


def became(
    what: Became,
    action_id: uuid.UUID | str,
    profile_id: str,
    medium: str,
    at: Instant,
    part: str = "",
    **more: Any,
) -> Event:
    """Told twice it counts once; `part` tells apart what may happen to one message several times,
    such as a click on each of its links."""
    properties = {"action_id": str(action_id), "channel": medium, **more}
    event_id = f"{action_id}:{what}" + (f":{part}" if part else "")
    return about(profile_id, event_id, f"engagement.{what}", properties, at)


def consent(purpose: str, granted: bool, profile_id: str, event_id: str, at: Instant) -> Event:
    properties = {"consents": {purpose: granted}}
    return about(profile_id, event_id, "customer.updated", properties, at)


def about(profile_id: str, event_id: str, event_type: str, properties: Any, at: Instant) -> Event:
    """An event of somebody who is known by their profile."""
    when = moment(at)
    return Event(
        event_id=event_id,
        type=event_type,
        occurred_at=when,
        received_at=when,
        customer={"profile_id": profile_id},
        properties=msgspec.Raw(_json(properties)),
        source=SOURCE,
    )
