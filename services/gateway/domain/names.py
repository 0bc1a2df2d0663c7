"""Names of people in documents that services answer: shown with the family name only."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from services.gateway.domain.masking import NAME_ATTRIBUTES, shown_name
from zhiyin.contracts.profiles import Snapshot

# A name of one character is a word like any other.
_SHORTEST: Final = 2


def names_of(snapshot: Snapshot) -> tuple[str, ...]:
    """What a person is called, longest first."""
    attributes = snapshot.facts.attributes
    stated = (attributes[name].value for name in NAME_ATTRIBUTES & attributes.keys())
    names = {value for value in stated if isinstance(value, str) and len(value) >= _SHORTEST}
    return tuple(sorted(names, key=lambda name: (-len(name), name)))


def names_masked(document: Any, names: Sequence[str]) -> Any:
    """The same, JSON-like: the names among any `attributes` masked, and in any text these."""
    return _masked(msgspec.to_builtins(document), names)


def names_masked_in(body: bytes, names: Sequence[str]) -> bytes:
    """The same for an answer's bytes (JSON)."""
    if not names and b'"attributes"' not in body:
        return body
    return msgspec.json.encode(_masked(msgspec.json.decode(body), names))


def _masked(value: Any, names: Sequence[str]) -> Any:
    match value:
        case dict():
            return {
                key: _attributes(part, names) if key == "attributes" else _masked(part, names)
                for key, part in value.items()
            }
        case list():
            return [_masked(part, names) for part in value]
        case str():
            for name in names:
                value = value.replace(name, shown_name(name))
            return value
        case _:
            return value


def _attributes(stated: Any, names: Sequence[str]) -> Any:
    """Values bare, or with their source and time."""
    if not isinstance(stated, dict):
        return _masked(stated, names)
    return {
        name: _name(value) if name in NAME_ATTRIBUTES else _masked(value, names)
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
