"""Responses encoded by msgspec."""

from typing import Any, Final

import msgspec
from starlette.responses import Response

NDJSON: Final = "application/x-ndjson"


def json(value: Any, status: int = 200) -> Response:
    """`value` (structs, dicts) as a JSON response."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def json_line(value: Any) -> bytes:
    """`value` as a line of a stream of JSON documents."""
    return msgspec.json.encode(value) + b"\n"
