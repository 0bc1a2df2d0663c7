"""What a request identifies itself by: a header, or a console's cookie."""

import base64
import binascii
from http.cookies import CookieError, SimpleCookie
from typing import Final

from starlette.requests import Request

ACCESS_COOKIE: Final = "zhiyin_session"
REFRESH_COOKIE: Final = "zhiyin_refresh"
CSRF_HEADER: Final = "x-csrf-token"
_LONGEST_HEADER: Final = 512


def authorization(header: str) -> str | None:
    """The key or token in an Authorization header: Bearer, or Basic with it as user name."""
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if len(header) > _LONGEST_HEADER:
        return None
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() != "basic":
        return None
    try:
        user, _, _ = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return user


def cookie(request: Request, name: str) -> str | None:
    """A cookie's value; None too for a header that is none."""
    header = request.headers.get("cookie", "")
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return None if found is None else found.value
