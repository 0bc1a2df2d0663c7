"""ASGI layers of the public door: headers every answer has, and what the public may not see."""

import hmac
import re
from collections.abc import Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhiyin.runtime.problems import Problem, response

_HEADERS: Final = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"strict-transport-security", b"max-age=31536000"),
]
_NOT_KEPT: Final = (b"cache-control", b"no-store")
_API_ONLY: Final = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PAGE: Final = (
    b"content-security-policy",
    b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
)
_CHALLENGE: Final = (b"www-authenticate", b'Bearer realm="zhiyin"')
_PERSONAL: Final = re.compile(r"/v1/profiles/by/(?P<namespace>phone|email)/(?P<value>.+)", re.S)
_REQUEST_ID: Final = re.compile(rb"[\w.:=+/-]{1,128}")
_PAGES: Final = ("/docs", "/console")
# Those with something to send, which only we are sent.
_FORM: Final = (_PAGE[0], _PAGE[1] + b"; form-action 'self'")
_FORMS: Final = ("/s/", "/u/", "/r/")


class PublicHeaders:
    """Adds security headers, rate limits (put into the scope by the gatekeeper), the request's id
    (the caller's own, or else that of its trace), and on 401 how to authenticate."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        extra: list[tuple[bytes, bytes]] = []
        scope["zhiyin.answer_headers"] = extra
        always = [*_HEADERS, _policy(scope["path"])]

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = message["headers"]
                if message["status"] == 401:
                    extra.append(_CHALLENGE)
                if not any(name == b"cache-control" for name, _ in given):
                    extra.append(_NOT_KEPT)
                extra.append((b"x-request-id", _request_id(scope)))
                message["headers"] = [*given, *always, *extra]
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _policy(path: str) -> tuple[bytes, bytes]:
    if path.startswith(_FORMS):
        return _FORM
    return _PAGE if path.startswith(_PAGES) else _API_ONLY


def _request_id(scope: Scope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _REQUEST_ID.fullmatch(value):
            return bytes(value)
    return str(scope.get("traceparent", ""))[3:35].encode()


class Veil:
    """Puts the token in place of a phone or email in a path before anything else sees it: paths
    are written to logs and traces. What is no phone or email becomes `-`."""

    def __init__(self, app: ASGIApp, tokens: Callable[[str, str], str | None]) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (found := _PERSONAL.fullmatch(scope["path"])):
            token = self._tokens(found["namespace"], found["value"]) or "-"
            path = scope["path"][: found.start("value")] + token
            scope = {**scope, "path": path, "raw_path": path.encode()}
        await self._app(scope, receive, send)


class InternalOnly:
    """`/internal` of the public door answers our own tools only; to others it does not exist."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/internal"):
            given = Headers(scope=scope).get("x-zhiyin-internal", "")
            if not hmac.compare_digest(given.encode(), self._token.encode()):
                missing = Problem(404, "not_found", "Not Found")
                await response(missing, scope["path"])(scope, receive, send)
                return
        await self._app(scope, receive, send)
