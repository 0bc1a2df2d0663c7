"""AsyncAPI 3 of the topics: which there are, by what they are keyed, what is on them."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from zhiyin.contracts.actions import ActionDecided
from zhiyin.contracts.events import Event
from zhiyin.contracts.profiles import ProfileChanged
from zhiyin.contracts.properties.custom import Custom
from zhiyin.contracts.properties.event_types import PROPERTIES
from zhiyin.contracts.segments import SegmentChanged
from zhiyin.contracts.topics import TOPICS, Topic, topic_of

_REF: Final = "#/components/schemas/{name}"
_ABOUT: Final = (
    "What services tell each other, and storefronts may tell them, over Apache Kafka (or the log "
    "in PostgreSQL). `events.*` are JSON, so that a storefront's own pipeline can write them, with "
    "tokens in place of phone and email; the rest is MessagePack of the same shapes. Messages only "
    "gain fields, at their end, with defaults. Delivery is at least once: drop by `event_id` (of "
    "one `source`) or `message_id` what has been seen. Each key has its order."
)
_MESSAGES: Final[Mapping[str, type[Struct]]] = {
    "ProfileChanged": ProfileChanged,
    "SegmentChanged": SegmentChanged,
    "ActionDecided": ActionDecided,
}
_CUSTOM: Final = "custom.*"
_Object = dict[str, Any]


def asyncapi(version: str) -> _Object:
    """The whole document; `version` is the platform's."""
    kinds = [Event, Custom, *PROPERTIES.values(), *_MESSAGES.values()]
    _, found = msgspec.json.schema_components(kinds, ref_template=_REF)
    untagged = {kind.__name__ for kind in PROPERTIES.values()}
    schemas = {
        name: _as_written(_untagged(schema) if name in untagged else schema)
        for name, schema in found.items()
    }
    messages = {
        **{_id(name): _event_message(name, kind) for name, kind in _event_types().items()},
        **{name: _message(name, kind) for name, kind in _MESSAGES.items()},
    }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Zhiyin topics", "version": version, "description": _ABOUT},
        "defaultContentType": "application/json",
        "channels": {_id(topic.name): _channel(topic) for topic in TOPICS},
        "operations": {f"{_verb(topic)}_{_id(topic.name)}": _operation(topic) for topic in TOPICS},
        "components": {"messages": messages, "schemas": schemas},
    }


def _untagged(schema: _Object) -> _Object:
    """Properties without the tag that would name their type: the envelope names it."""
    members = {name: part for name, part in schema["properties"].items() if name != "type"}
    required = [name for name in schema.get("required", ()) if name != "type"]
    return {**schema, "properties": members, "required": required}


def _as_written(part: Any) -> Any:
    """Money may be a number too."""
    match part:
        case {"format": "decimal"}:
            return {**part, "type": ["string", "number"]}
        case dict():
            return {name: _as_written(each) for name, each in part.items()}
        case list():
            return [_as_written(each) for each in part]
        case _:
            return part


def _event_types() -> dict[str, type[Struct]]:
    return {**PROPERTIES, _CUSTOM: Custom}


def _id(name: str) -> str:
    """Names of parts of the document have no dots in them."""
    return name.replace(".", "_").replace("*", "any")


def _on(topic: Topic) -> list[str]:
    """Messages on a topic, by their names in the document."""
    if topic.message != "Event":
        return [topic.message]
    return [_id(name) for name in _event_types() if topic_of(name) == topic.name]


def _channel(topic: Topic) -> _Object:
    messages = {name: {"$ref": f"#/components/messages/{name}"} for name in _on(topic)}
    return {"address": topic.name, "description": f"Keyed by {topic.key}.", "messages": messages}


def _verb(topic: Topic) -> str:
    """What the platform does: it receives events, and sends what it makes of them."""
    return "receive" if topic.message == "Event" else "send"


def _operation(topic: Topic) -> _Object:
    channel = f"#/channels/{_id(topic.name)}"
    messages = [{"$ref": f"{channel}/messages/{name}"} for name in _on(topic)]
    return {"action": _verb(topic), "channel": {"$ref": channel}, "messages": messages}


def _event_message(event_type: str, kind: type[Struct]) -> _Object:
    """The envelope with the properties of that type in it."""
    stated = {"type": "string", "pattern": r"^custom\..+"}
    said = stated if event_type == _CUSTOM else {"const": event_type}
    properties = {"$ref": _REF.format(name=kind.__name__)}
    payload = {
        "allOf": [
            {"$ref": _REF.format(name="Event")},
            {"properties": {"type": said, "properties": properties}},
        ]
    }
    return {"name": event_type, "contentType": "application/json", "payload": payload}


def _message(name: str, kind: type[Struct]) -> _Object:
    payload = {"$ref": _REF.format(name=kind.__name__)}
    return {"name": name, "contentType": "application/msgpack", "payload": payload}
