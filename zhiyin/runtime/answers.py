"""Responses encoded by msgspec."""

from typing import Any

import msgspec
from starlette.responses import Response


def json(value: Any, status: int = 200) -> Response:
    """`value` (structs, dicts) as a JSON response."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")
