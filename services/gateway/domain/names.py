"""Names of people in documents that services answer: shown with the family name only."""

from typing import Any

import msgspec

from services.gateway.domain.masking import NAME_ATTRIBUTES, shown_name


def names_masked(document: Any) -> Any:
    """The same, JSON-like, with the names among any `attributes` masked."""
    return _masked(msgspec.to_builtins(document))


def names_masked_in(body: bytes) -> bytes:
    """The same for an answer's bytes (JSON)."""
    if b'"attributes"' not in body:
        return body
    return msgspec.json.encode(_masked(msgspec.json.decode(body)))


def _masked(value: Any) -> Any:
    match value:
        case dict():
            return {
                key: _attributes(part) if key == "attributes" else _masked(part)
                for key, part in value.items()
            }
        case list():
            return [_masked(part) for part in value]
        case _:
            return value


def _attributes(stated: Any) -> Any:
    """Values bare, or with their source and time."""
    if not isinstance(stated, dict):
        return _masked(stated)
    return {
        name: _name(value) if name in NAME_ATTRIBUTES else _masked(value)
        for name, value in stated.items()
    }


def _name(value: Any) -> Any:
    match value:
        case str():
            return shown_name(value)
        case {"value": str(text)}:
            return {**value, "value": shown_name(text)}
        case _:
            return value
