"""The last touch to answers: `304` for what the caller has already, gzip for who takes it."""

import asyncio
import re
import zlib
from hashlib import blake2b
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_GZIP: Final = 31  # zlib's number for: a gzip header, largest window
_LEVEL: Final = 3  # JSON shrinks to a fifth; more effort gains little
_WORTH_IT: Final = 1024
_LONG: Final = 128 * 1024  # takes longer than others should wait for
_TEXT: Final = re.compile(rb"application/(problem\+|vnd[\w.+-]*\+)?json|text/(?!event-stream)")
_NO_GZIP: Final = re.compile(rb"gzip\s*;\s*q=0(\.0*)?\s*(,|$)")
_DESCRIBING: Final = frozenset({b"content-length", b"content-type", b"content-encoding"})

_Headers = list[tuple[bytes, bytes]]


class Finishing:
    """Answers that come whole are finished; those that come bit by bit pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        held: Message | None = None

        async def send_finished(message: Message) -> None:
            nonlocal held
            if message["type"] == "http.response.start":
                held = message
                return
            if held is not None:
                start, held = held, None
                if not message.get("more_body"):
                    message["body"] = await _finish(scope, start, message.get("body", b""))
                await send(start)
            await send(message)

        await self._app(scope, receive, send_finished)


async def _finish(scope: Scope, start: Message, body: bytes) -> bytes:
    headers: _Headers = list(start["headers"])
    matching = accepted = b""
    for name, value in scope["headers"]:
        if name == b"if-none-match":
            matching += b"," + value
        elif name == b"accept-encoding":
            accepted += b"," + value
    if start["status"] == 200 and scope["method"] in ("GET", "HEAD"):
        etag = _etag(headers, body)
        if _matches(matching, etag):
            start["status"] = 304
            start["headers"] = [each for each in headers if each[0] not in _DESCRIBING]
            return b""
    if _worth_zipping(headers, body):
        headers.append((b"vary", b"Accept-Encoding"))
        if b"gzip" in accepted and not _NO_GZIP.search(accepted):
            body = await _zipped(body)
            headers = [each for each in headers if each[0] != b"content-length"]
            headers.append((b"content-encoding", b"gzip"))
            headers.append((b"content-length", str(len(body)).encode()))
    start["headers"] = headers
    return body


def _etag(headers: _Headers, body: bytes) -> bytes:
    """The answer's own, or one made of its body. A reader may keep what has one, and ask."""
    etag = _of(headers, b"etag")
    if etag is None:
        etag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'.encode()
        headers.append((b"etag", etag))
    if _of(headers, b"cache-control") is None:
        headers.append((b"cache-control", b"private, no-cache"))
    return etag


def _matches(given: bytes, etag: bytes) -> bool:
    """By the weak comparison of RFC 9110."""
    if not given:
        return False
    tags = {tag.strip().removeprefix(b"W/") for tag in given.split(b",")}
    return b"*" in tags or etag.removeprefix(b"W/") in tags


def _worth_zipping(headers: _Headers, body: bytes) -> bool:
    if len(body) < _WORTH_IT or _of(headers, b"content-encoding") is not None:
        return False
    return bool(_TEXT.match(_of(headers, b"content-type") or b""))


async def _zipped(body: bytes) -> bytes:
    return await asyncio.to_thread(_gzip, body) if len(body) > _LONG else _gzip(body)


def _gzip(body: bytes) -> bytes:
    return zlib.compress(body, _LEVEL, wbits=_GZIP)


def _of(headers: _Headers, name: bytes) -> bytes | None:
    return next((value for key, value in headers if key == name), None)
