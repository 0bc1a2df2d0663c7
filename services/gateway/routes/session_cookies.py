"""The cookies of a console's session: no script can read them, no other site send them along."""

from typing import Final

from starlette.responses import Response

from services.gateway.credentials import ACCESS_COOKIE, REFRESH_COOKIE
from services.gateway.sessions import Opened
from zhiyin.contracts.instants import SECOND, Instant

# The refresh token goes nowhere but to where it is of use.
_REFRESH_PATH: Final = "/v1/sessions"


def hand_out(response: Response, opened: Opened, now: Instant, *, secure: bool) -> None:
    """Both until the session's end: an access token that is over says so by itself."""
    age = max(opened.ends_at - now, 0) // SECOND
    for name, value, path in (
        (ACCESS_COOKIE, opened.access_token, "/"),
        (REFRESH_COOKIE, opened.refresh_token, _REFRESH_PATH),
    ):
        response.set_cookie(
            name, value, max_age=age, path=path, secure=secure, httponly=True, samesite="strict"
        )


def take_back(response: Response) -> None:
    response.delete_cookie(ACCESS_COOKIE, path="/")
    response.delete_cookie(REFRESH_COOKIE, path=_REFRESH_PATH)
