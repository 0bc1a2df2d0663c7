"""Which web pages may call from a browser: those of the origins on a list, and no others."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from zhiyin.runtime.problems import Problem, response

_ORIGIN: Final = re.compile(
    r"https?://(\*\.)?[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d+)?"
)
_HEADER_NAMES: Final = re.compile(rb"[A-Za-z0-9-]+(?:\s*,\s*[A-Za-z0-9-]+)*")
_LONGEST_NAMES: Final = 1024
_METHODS: Final = b"GET, POST, PUT, PATCH, DELETE"
_DAY_SECONDS: Final = b"86400"
# What a page may read of an answer beyond its body.
_SHOWN: Final = b", ".join(
    (
        b"etag", b"idempotent-replayed", b"link", b"location", b"ratelimit", b"ratelimit-policy",
        b"retry-after", b"x-request-id", b"x-trace-id",
    )
)  # fmt: skip

_Headers = list[tuple[bytes, bytes]]


def origins_of(text: str) -> frozenset[str]:
    """`https://shop.example.com,https://*.brand.cn`, or `*` for any. Raises ValueError."""
    origins = [part.strip().rstrip("/").lower() for part in text.split(",") if part.strip()]
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise ValueError(f"{origin!r} is not an origin such as https://shop.example.com")
    return frozenset(origins)


class Cors:
    """Keys travel in headers and never in cookies, so credentials are not allowed for: a page can
    send only a key that it has. Header names asked for are granted as they are."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._any = "*" in origins
        self._exact = {origin.encode() for origin in origins}
        self._below = [_pattern(origin) for origin in origins if "//*." in origin]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        origin = _given(scope, b"origin") if scope["type"] == "http" else None
        if origin is None:
            await self._app(scope, receive, send)
            return
        allowed = self._allowed(origin)
        if scope["method"] == "OPTIONS" and _given(scope, b"access-control-request-method"):
            await self._preflight(scope, origin, allowed)(scope, receive, send)
            return
        if not allowed:
            await self._app(scope, receive, send)
            return

        async def send_allowed(message: Message) -> None:
            if message["type"] == "http.response.start":
                shown = (b"access-control-expose-headers", _SHOWN)
                message["headers"] = [*message["headers"], *_origin(origin), shown]
            await send(message)

        await self._app(scope, receive, send_allowed)

    def _allowed(self, origin: bytes) -> bool:
        if self._any or origin in self._exact:
            return True
        return any(pattern.fullmatch(origin) for pattern in self._below)

    def _preflight(self, scope: Scope, origin: bytes, allowed: bool) -> Response:
        names = _given(scope, b"access-control-request-headers") or b""
        if not allowed or len(names) > _LONGEST_NAMES:
            return response(
                Problem(403, "origin_not_allowed", "pages of this origin may not call"),
                scope["path"],
            )
        granted: _Headers = [
            *_origin(origin),
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-max-age", _DAY_SECONDS),
        ]
        if _HEADER_NAMES.fullmatch(names):
            granted.append((b"access-control-allow-headers", names))
        answer = Response(status_code=204)
        answer.raw_headers = granted
        return answer


def _origin(origin: bytes) -> Sequence[tuple[bytes, bytes]]:
    return ((b"access-control-allow-origin", origin), (b"vary", b"Origin"))


def _given(scope: Scope, name: bytes) -> bytes | None:
    headers: Iterable[tuple[bytes, bytes]] = scope["headers"]
    return next((value for key, value in headers if key == name), None)


def _pattern(origin: str) -> re.Pattern[bytes]:
    """`https://*.brand.cn`: what is below it, at any depth, and not `https://brand.cn` itself."""
    return re.compile(re.escape(origin.encode()).replace(rb"\*", rb"[a-z0-9.-]+"))
