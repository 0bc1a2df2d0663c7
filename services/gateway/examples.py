"""Examples of answers for the documentation: what a platform really answered, or made from the
schema where no such answer is at hand.

`answers.json` is written by `python -m tests.sdks.recording`.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

_RECORDED: Final[Mapping[str, Any]] = json.loads(
    Path(__file__).with_name("answers.json").read_text(encoding="utf-8")
)
_REF: Final = "#/components/schemas/"
_DEEPEST: Final = 8
_TIME: Final = "2026-11-11T00:00:03Z"
_ID: Final = "0197f4a2c1d87e0b"


def recorded(name: str, kind: Any) -> Any:
    """What the call of that name answered when it was recorded; None if it never did, or answers
    otherwise by now. `kind`: the type of the answer, None if any."""
    answer = _RECORDED.get(name)
    if answer is None or kind is None or isinstance(kind, tuple):
        return answer
    try:
        msgspec.convert(answer, kind)
    except msgspec.ValidationError:
        return None
    return answer


def made(schema: Mapping[str, Any], components: Mapping[str, Any], depth: int = 0) -> Any:
    """A value of a schema, with all its members."""
    if (reference := schema.get("$ref")) is not None:
        return made(components[reference.removeprefix(_REF)], components, depth + 1)
    for name in ("anyOf", "oneOf"):
        if name in schema:
            return made(schema[name][0], components, depth)
    if "const" in schema or "enum" in schema:
        return schema.get("const", next(iter(schema.get("enum", ())), None))
    match schema.get("type"):
        case "object":
            return _members(schema, components, depth) if depth < _DEEPEST else {}
        case "array" if "prefixItems" in schema:
            return [made(each, components, depth + 1) for each in schema["prefixItems"]]
        case "array":
            items = schema.get("items")
            more = isinstance(items, dict) and depth < _DEEPEST
            return [made(items or {}, components, depth + 1)] if more else []
        case _:
            return _scalar(schema)


def _scalar(schema: Mapping[str, Any]) -> Any:
    match schema.get("type"):
        case "integer" | "number":
            return max(schema.get("minimum", 0), schema.get("exclusiveMinimum", 0) + 1)
        case "boolean":
            return True
        case "string":
            return _TIME if schema.get("format") == "date-time" else "example"
        case _:
            return None


def _members(schema: Mapping[str, Any], components: Mapping[str, Any], depth: int) -> Any:
    return {
        name: _named(name, made(part, components, depth + 1))
        for name, part in schema.get("properties", {}).items()
    }


def _named(name: str, value: Any) -> Any:
    """A text that looks like what it is."""
    if value != "example":
        return value
    if name.endswith("_at"):
        return _TIME
    return _ID if name == "id" or name.endswith("_id") else value
