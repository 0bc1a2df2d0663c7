"""Reading a request's body: bounded, unzipped if need be, of a type that may well be JSON."""

import asyncio
import zlib
from collections.abc import Collection
from typing import Final

from starlette.requests import ClientDisconnect, Request

from services.gateway.room import take_room
from zhiyin.runtime.problems import Problem

MOST_BYTES: Final = 5 * 1024 * 1024
_MOST_SECONDS: Final = 20.0
_GZIP: Final = 31  # zlib's number for: a gzip header, largest window
_GZIPPED: Final = frozenset({"gzip", "x-gzip"})
# What clients call JSON: those without any idea say nothing, or what `curl -d` and a browser's
# beacon say by default.
_TYPES: Final = frozenset(
    {"", "application/json", "text/json", "text/plain", "application/x-www-form-urlencoded"}
)


async def read_json(request: Request, also: Collection[str] = ()) -> bytes:
    """The body's bytes, at most 5 MB sent and unzipped; `also`: media types beside the usual.
    Raises Problem: 400, 413, 415."""
    _check_type(request.headers.get("content-type", ""), also)
    encoding = request.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in _GZIPPED and encoding not in ("identity", ""):
        raise Problem(415, "unsupported_encoding", "Content-Encoding is gzip or left out")
    body = await read_bytes(request)
    return unzip(request, body) if encoding in _GZIPPED else body


def unzip(request: Request, body: bytes) -> bytes:
    """The body unzipped, at most 5 MB. Raises Problem: 400, 413, 429."""
    found = unzipped(body)
    take_room(request, len(found))
    return found


def unzipped(data: bytes) -> bytes:
    """All members of a gzip file. Stops at the cap, whatever the file claims to hold."""
    parts: list[bytes] = []
    room = MOST_BYTES + 1
    try:
        while data and room > 0:
            member = zlib.decompressobj(_GZIP)
            parts.append(member.decompress(data, room))
            room -= len(parts[-1])
            if room > 0 and not member.eof:
                raise Problem(400, "invalid_gzip", "the gzip data ends too early")
            data = member.unused_data
    except zlib.error as error:
        raise Problem(400, "invalid_gzip", "the body is not gzip data") from error
    if room <= 0:
        raise _too_large()
    return b"".join(parts)


async def read_bytes(request: Request) -> bytes:
    """The body as it was sent, at most 5 MB. Raises Problem: 400, 408, 413, 429."""
    stated = request.headers.get("content-length", "0")
    if stated.isdecimal() and int(stated[:20]) > MOST_BYTES:
        raise _too_large()
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_MOST_SECONDS):
            async for part in request.stream():
                size += len(part)
                if size > MOST_BYTES:
                    raise _too_large()
                take_room(request, len(part))
                parts.append(part)
    except TimeoutError as error:
        raise Problem(408, "too_slow", f"a body has {_MOST_SECONDS:g} seconds") from error
    except ClientDisconnect as error:
        raise Problem(400, "cut_off", "the body did not arrive whole") from error
    return b"".join(parts)


def media_type_of(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _check_type(header: str, also: Collection[str]) -> None:
    media_type, _, parameters = header.lower().partition(";")
    media_type = media_type.strip()
    if media_type not in _TYPES and media_type not in also:
        raise Problem(415, "unsupported_media_type", _refused_type(media_type))
    _, _, charset = parameters.partition("charset=")
    if charset.strip(' "') not in ("", "utf-8", "utf8", "us-ascii"):
        raise Problem(415, "unsupported_charset", "JSON is UTF-8")


def _refused_type(media_type: str) -> str:
    if media_type.startswith("application/cloudevents"):
        return "CloudEvents are taken by POST /v1/events, in JSON format, one or a batch"
    if media_type.startswith("multipart/"):
        return "forms and files are not taken: send JSON with Content-Type: application/json"
    return "send JSON with Content-Type: application/json"


def _too_large() -> Problem:
    return Problem(413, "too_large", "a request has at most 5 MB, also when unzipped")
