"""Whether a JSON document can be kept at all: size, depth, characters, numbers."""

import re
from typing import Any, Final

import msgspec

from services.gateway.domain.pointers import escaped, refusal_of
from services.gateway.domain.rejection import Rejection

MOST_BYTES: Final = 32 * 1024
MOST_DEPTH: Final = 16
_LARGEST: Final = 2**63 - 1
# NUL (PostgreSQL keeps none) and numbers that may not fit 64 bits are worth a walk; else none is.
_SUSPECT = re.compile(rb"\\u0000|[0-9]{19}")
_decoder: Final = msgspec.json.Decoder()


def unsound(raw: bytes | memoryview) -> Rejection | None:
    """Why the bytes of one JSON document are refused, or None.

    Every string and number is really decoded, also where nobody looks later, so that nothing
    downstream meets a document it cannot read.
    """
    if len(raw) > MOST_BYTES:
        return Rejection("too_large", f"an event has at most {MOST_BYTES} bytes")
    data = bytes(raw)
    try:
        document = _decoder.decode(data)
    except RecursionError:
        return Rejection("too_deep", f"at most {MOST_DEPTH} levels of nesting")
    except UnicodeDecodeError:
        return Rejection("invalid_json", "the text is not UTF-8")
    except ValueError as error:
        return _unreadable(error)
    if data.count(b"{") + data.count(b"[") <= MOST_DEPTH and not _SUSPECT.search(data):
        return None
    return _walk(document, "", 1)


def _unreadable(error: ValueError) -> Rejection:
    found = refusal_of(error)
    return Rejection("invalid_json", found.message, found.pointer)


def _walk(value: Any, pointer: str, depth: int) -> Rejection | None:
    if isinstance(value, str):
        return _text(value, pointer)
    if isinstance(value, int):
        return None if -_LARGEST <= value <= _LARGEST else _too_big(pointer)
    if not isinstance(value, dict | list):
        return None
    if depth > MOST_DEPTH:
        return Rejection("too_deep", f"at most {MOST_DEPTH} levels of nesting", pointer)
    named = value.items() if isinstance(value, dict) else enumerate(value)
    for name, part in named:
        below = f"{pointer}/{escaped(str(name))}"
        if refusal := _text(str(name), pointer) or _walk(part, below, depth + 1):
            return refusal
    return None


def _text(value: str, pointer: str) -> Rejection | None:
    if "\0" in value:
        return Rejection("invalid_character", "the character U+0000 cannot be kept", pointer)
    return None


def _too_big(pointer: str) -> Rejection:
    return Rejection("number_too_large", "whole numbers have at most 63 bits", pointer)
