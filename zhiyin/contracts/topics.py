"""The topics of the event log. This table is the only place that names them."""

from typing import Final

import msgspec

EVENT_FAMILIES: Final = (
    "purchase",
    "browse",
    "support",
    "community",
    "customer",
    "engagement",
    "custom",
)
EVENTS: Final = tuple(f"events.{family}" for family in EVENT_FAMILIES)
PROFILE_CHANGED: Final = "profile.changed"
SEGMENT_CHANGED: Final = "segment.changed"
ACTION_DECIDED: Final = "action.decided"


class Topic(msgspec.Struct, frozen=True):
    """One topic: its key, what its messages are, and how they are written."""

    name: str
    key: str
    message: str
    encoding: str


TOPICS: Final[tuple[Topic, ...]] = (
    *(Topic(name, "strongest identifier", "Event", "application/json") for name in EVENTS),
    Topic(PROFILE_CHANGED, "profile_id", "ProfileChanged", "application/msgpack"),
    Topic(SEGMENT_CHANGED, "profile_id", "SegmentChanged", "application/msgpack"),
    Topic(ACTION_DECIDED, "profile_id", "ActionDecided", "application/msgpack"),
)
TOPIC_NAMES: Final = tuple(topic.name for topic in TOPICS)


def topic_of(event_type: str) -> str:
    """The topic of an event type: `purchase.completed` → `events.purchase`."""
    return f"events.{event_type.partition('.')[0]}"
