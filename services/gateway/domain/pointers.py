"""From what msgspec says was wrong to a code, a message and a JSON pointer."""

import re

from services.gateway.domain.rejection import Rejection

_PATH = re.compile(r" - at `(?P<in_key>key in )?\$(?P<path>[^`]*)`$")
_STEP = re.compile(r"\.(?P<name>[^.\[\]]+)|\[(?P<index>\d+)\]|\[(?P<any>\.\.\.)\]")
_MISSING = re.compile(r"missing required field `(?P<field>[^`]+)`")
# What a struct says of itself, not naming the place: `total must be between 0 and …`.
_OUT_OF_RANGE = re.compile(r"(?P<field>\w+) must be between ")
_CODES = (
    ("missing required field", "missing_field"),
    ("Invalid RFC3339", "invalid_time"),
    ("Expected `", "wrong_type"),
    ("Invalid enum value", "invalid_value"),
)


def escaped(step: str) -> str:
    """One step of a JSON pointer (RFC 6901)."""
    return step.replace("~", "~0").replace("/", "~1")


def refusal_of(error: ValueError, root: str = "") -> Rejection:
    """What a msgspec error means; `root` is the pointer of the document that was decoded."""
    text = str(error)
    where = _PATH.search(text)
    message = text[: where.start()] if where else text
    pointer = root
    if where:
        for step in _STEP.finditer(where["path"]):
            if step["any"]:
                break  # some member of a free object: msgspec does not say which
            pointer += "/" + escaped(step["name"] or step["index"])
    if missing := _MISSING.search(message):
        pointer += "/" + escaped(missing["field"])
    if out_of_range := _OUT_OF_RANGE.match(message):
        return Rejection("invalid_amount", message, f"{pointer}/{out_of_range['field']}")
    code = next((code for start, code in _CODES if start in message), "invalid_value")
    if " of length " in message or "matching regex" in message or ">=" in message:
        code = "invalid_value"
    return Rejection(code, message, pointer)
