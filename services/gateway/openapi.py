"""The OpenAPI document: routes from FastAPI, bodies and answers from the msgspec types."""

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Any, Final

import msgspec
from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import Call
from services.gateway.credentials import ACCESS_COOKIE
from services.gateway.curl import curl
from services.gateway.examples import made, recorded
from zhiyin.runtime.answers import NDJSON

_BODILESS: Final = (204, 303)
_PARAMETER: Final = re.compile(r"\{(\w+)(?::path)?\}")
_REF: Final = "#/components/schemas/{name}"
_JSON: Final = "application/json"
_PROBLEM: Final = {"$ref": "#/components/responses/Problem"}
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "the same key and body give the same answer and are done once, for 24 hours",
    "schema": {"type": "string", "maxLength": 255},
}
_IF_NONE_MATCH: Final = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "the `ETag` of an earlier answer: 304 without a body if it would be the same",
    "schema": {"type": "string"},
}
_UNCHANGED: Final = {"304": {"description": "As it was (`If-None-Match`)"}}
_PROBLEM_SCHEMA: Final = {
    "type": "object",
    "description": "RFC 9457 problem",
    "required": ["type", "title", "status", "detail", "instance", "code", "message", "trace_id"],
    "properties": {
        **{
            name: {"type": "string"}
            for name in ("type", "title", "detail", "instance", "code", "message", "trace_id")
        },
        "status": {"type": "integer"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    **{name: {"type": "string"} for name in ("pointer", "code", "message")},
                    **{name: {"type": "integer"} for name in ("line", "column")},
                },
            },
        },
    },
}
_PROBLEM_EXAMPLE: Final = {
    "type": "urn:zhiyin:problem:missing_offset",
    "title": "Bad Request",
    "status": 400,
    "detail": "a time needs its offset, as +08:00",
    "instance": "/v1/events",
    "code": "missing_offset",
    "message": "a time needs its offset, as +08:00",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "errors": [
        {
            "pointer": "/events/3/occurred_at",
            "code": "missing_offset",
            "message": "a time needs its offset, as +08:00",
        }
    ],
}
_CSV: Final = "profile_id\r\n01975d3e-6a0c-7c55-8f5e-3f7f6a2f9d10\r\n"
Handler = Callable[[Request], Awaitable[Response]]


def mount(app: FastAPI, call: Call, handler: Handler) -> None:
    """Register a call's route. Its handler takes the request as it is, so FastAPI's own reading
    of parameters and bodies (a quarter of a millisecond) is left out."""
    app.add_route(call.path, handler, methods=[call.method], name=call.name)


def document(app: FastAPI, calls: Sequence[Call]) -> dict[str, Any]:
    """The whole document."""
    schemas, components = _schemas(calls)
    openapi = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    for call in calls:
        path = openapi["paths"].setdefault(call.path.replace(":path}", "}"), {})
        path[call.method.lower()] = _operation(call, schemas, components)
    openapi["components"] = {
        "schemas": {**components, "Problem": _PROBLEM_SCHEMA},
        "responses": {"Problem": _problem_response()},
        "securitySchemes": {
            "bearer": {
                "type": "http",
                "scheme": "bearer",
                "description": "a key, `zk_…`, or an operator's access token, `zs_…`",
            },
            "cookie": {
                "type": "apiKey",
                "in": "cookie",
                "name": ACCESS_COOKIE,
                "description": "of an operator signed in with `cookie`; what changes something "
                "needs the header `X-CSRF-Token` too",
            },
            "basic": {"type": "http", "scheme": "basic", "description": "key as user name"},
        },
    }
    return openapi


def _schemas(calls: Iterable[Call]) -> tuple[dict[int, Any], dict[str, Any]]:
    """Schema of each type by its id, and the components they refer to."""
    types: dict[int, Any] = {}
    for call in calls:
        for kind in (call.body, call.answer):
            types.update((id(each), each) for each in _alternatives(kind))
    schemas, components = msgspec.json.schema_components(types.values(), ref_template=_REF)
    return dict(zip(types, schemas, strict=True)), components


def _operation(call: Call, schemas: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": call.name,
        "summary": call.summary,
        "description": _needed(call),
        "tags": [call.tag],
        # For consoles that hide what somebody may not do; empty for whoever is known.
        "x-scopes": list(call.scopes),
        **({} if call.and_scope is None else {"x-and-scope": call.and_scope}),
        "security": [{}] if call.public else [{"bearer": []}, {"basic": []}, {"cookie": []}],
        "responses": _responses(call, schemas, components),
        "x-codeSamples": [{"lang": "Shell", "label": "curl", "source": _curl(call)}],
    }
    if parameters := _parameters(call):
        operation["parameters"] = parameters
    if call.body is not None:
        content = _content(call.body, call.example, schemas)
        operation["requestBody"] = {"required": not call.body_optional, "content": content}
    return operation


def _needed(call: Call) -> str:
    if call.public:
        return "Needs no key."
    if not call.scopes:
        return "Needs a key or a session, whatever its scopes."
    also = "" if call.and_scope is None else f" and `{call.and_scope}`"
    return f"Needs the scope `{'` or `'.join(call.scopes)}`{also}."


def _curl(call: Call) -> str:
    once = {"Idempotency-Key": f"{call.name}-1"} if call.creates else {}
    return curl(call.method, call.path, call.example, once)


def _responses(call: Call, schemas: dict[int, Any], components: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = {"description": "Done"}
    if call.status not in _BODILESS:
        answer["content"] = _answer_content(call, schemas, components)
    refusals = {str(status): _PROBLEM for status in (401, 403, 429, 503, "default")}
    unchanged = _UNCHANGED if _conditional(call) else {}
    done = {str(status): answer for status in (call.status, call.or_status) if status is not None}
    return {**done, **unchanged, **refusals}


def _answer_content(
    call: Call, schemas: dict[int, Any], components: dict[str, Any]
) -> dict[str, Any]:
    if call.media:
        return {media: _file(media) for media in call.media}
    example = call.answer_example
    if example is None:
        example = recorded(call.name, call.answer)
    if example is None:
        example = made(_schema(call.answer, schemas), components)
    content = _content(call.answer, example, schemas)
    lines = {NDJSON: {"schema": _schema(call.answer, schemas)}} if call.streams else {}
    return {**content, **lines}


def _file(media: str) -> dict[str, Any]:
    example = {"example": _CSV} if media == "text/csv" else {}
    return {"schema": {"type": "string"}, **example}


def _content(kind: Any, example: Any, schemas: dict[int, Any]) -> dict[str, Any]:
    shown = {} if example is None else {"example": example}
    return {_JSON: {"schema": _schema(kind, schemas), **shown}}


def _schema(kind: Any, schemas: dict[int, Any]) -> Any:
    found = [schemas[id(each)] for each in _alternatives(kind)]
    if not found:
        return {"type": "object"}
    return found[0] if len(found) == 1 else {"anyOf": found}


def _alternatives(kind: Any) -> tuple[Any, ...]:
    """The types a body or an answer may be of."""
    if kind is None:
        return ()
    return kind if isinstance(kind, tuple) else (kind,)


def _parameters(call: Call) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in _PARAMETER.findall(call.path)
    ]
    in_query = [
        {
            "name": query.name,
            "in": "query",
            "required": False,
            "description": query.text,
            "schema": dict(query.schema),
        }
        for query in call.query
    ]
    in_header = [_IDEMPOTENCY_KEY] if call.once else []
    in_header += [_IF_NONE_MATCH] if _conditional(call) else []
    return [*in_path, *in_query, *in_header]


def _conditional(call: Call) -> bool:
    return call.method == "GET" and not call.media


def _problem_response() -> dict[str, Any]:
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "example": _PROBLEM_EXAMPLE}
    return {
        "description": "Why it was refused",
        "content": {"application/problem+json": content},
    }
