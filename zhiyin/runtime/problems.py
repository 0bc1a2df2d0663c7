"""Errors told to callers as RFC 9457 problem documents."""

from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from http import HTTPStatus
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace
from starlette.responses import Response

PROBLEM_JSON: Final = "application/problem+json"
_LONGEST: Final = 1000  # characters of a message
# The trace of the request being answered, 32 hex digits; set by the tracing middleware.
current_trace: ContextVar[str] = ContextVar("current_trace", default="0" * 32)


class FieldError(Struct, frozen=True, omit_defaults=True):
    """What is wrong at one place of a document; `pointer` is a JSON pointer (RFC 6901). Where it
    points at a text that is read in turn, `line` and `column` (from 1) say where in it."""

    pointer: str
    code: str
    message: str
    line: int | None = None
    column: int | None = None


class Problem(Exception):
    """Raise it to answer with a problem document. `retry_after` is whole seconds."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        errors: Sequence[FieldError] = (),
        retry_after: int | None = None,
        extra: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.extra = dict(extra or {})


def document(problem: Problem, instance: str) -> dict[str, Any]:
    """The problem as its JSON members."""
    members: dict[str, Any] = {
        "type": f"urn:zhiyin:problem:{problem.code}",
        "title": _title(problem.status),
        "status": problem.status,
        "detail": _short(problem.message),
        "instance": instance,
        "code": problem.code,
        "message": _short(problem.message),
        "trace_id": current_trace.get(),
        **problem.extra,
    }
    if problem.errors:
        members["errors"] = [
            replace(each, pointer=_short(each.pointer), message=_short(each.message))
            for each in problem.errors
        ]
    return members


def response(problem: Problem, instance: str) -> Response:
    headers = {} if problem.retry_after is None else {"retry-after": str(problem.retry_after)}
    return Response(
        msgspec.json.encode(document(problem, instance)),
        status_code=problem.status,
        media_type=PROBLEM_JSON,
        headers=headers,
    )


def _short(text: str) -> str:
    """What was wrong is repeated, but not all 5 MB of it."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _title(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Error"
