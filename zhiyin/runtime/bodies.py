"""Request bodies: decoded and checked in one go, errors pointing to the place."""

import re
from typing import Any, Final, TypeVar

import msgspec

from zhiyin.runtime.problems import FieldError, Problem

T = TypeVar("T")

_PLACE: Final = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_STEP: Final = re.compile(r"\.([^.\[\]]+)|\[(\d+)\]")
# PostgreSQL stores no U+0000. An escape counts only if its backslash is not itself escaped.
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def body(type_: type[T], raw: bytes) -> T:
    """The JSON document `raw` as `type_`. Raises Problem: 400 when it is not JSON, 422 with a
    pointer when it is not a `type_`."""
    if _NUL.search(raw) or b"\x00" in raw:
        raise Problem(400, "nul_character", "text may not contain the character U+0000")
    try:
        return msgspec.json.decode(raw, type=type_)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Problem(400, "malformed_json", f"the body is not JSON: {error}") from error


def convert(type_: type[T], value: Any, *, code: str = "invalid") -> T:
    """The same for a value decoded already, such as query parameters (all text)."""
    try:
        return msgspec.convert(value, type_, strict=False)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), code) from error


def field_error(message: str, code: str = "invalid") -> FieldError:
    """What msgspec said (`… - at `$.items[0].sku``), as pointer and message."""
    place = _PLACE.search(message)
    # Of a free object msgspec says `[...]`, not which member: there the pointer ends.
    known = place[1].partition("[...]")[0] if place else ""
    pointer = "".join(f"/{_escape(name or index)}" for name, index in _STEP.findall(known))
    return FieldError(pointer, code, message[: place.start()] if place else message)


def _invalid(message: str, code: str = "invalid") -> Problem:
    error = field_error(message, code)
    return Problem(422, code, f"{error.message} at {error.pointer or '/'}", errors=[error])


def _escape(step: str) -> str:
    return step.replace("~", "~0").replace("/", "~1")
