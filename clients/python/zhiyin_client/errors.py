"""Everything that can go wrong, as a tree under `ZhiyinError`."""

from collections.abc import Sequence
from typing import Final

import msgspec

from zhiyin_client.models import FieldError, Problem


class ZhiyinError(Exception):
    """Whatever this package raises."""


class Unreachable(ZhiyinError):
    """No answer came. Whether the request was done is not known; doing it again is safe for what
    this client retries itself."""


class BufferFull(ZhiyinError):
    """More events are waiting to be sent than may."""


class ApiError(ZhiyinError):
    """The platform refused. `errors` point to the places of the request; `trace_id` is what its
    operators find the request by."""

    def __init__(self, problem: Problem, retry_after: int | None = None) -> None:
        super().__init__(f"{problem.status} {problem.code}: {problem.message}")
        self.status: int = problem.status
        self.code: str = problem.code
        self.message: str = problem.message
        self.trace_id: str = problem.trace_id
        self.errors: Sequence[FieldError] = tuple(problem.errors)
        self.retry_after = retry_after


class InvalidRequest(ApiError):
    """400, 415 or 422: sending the same again will not help."""


class Unauthenticated(ApiError):
    """401: no valid key."""


class Forbidden(ApiError):
    """403: the key lacks the scope."""


class NotFound(ApiError):
    """404."""


class Conflict(ApiError):
    """409: as things stand it cannot be done."""


class Gone(ApiError):
    """410: expired or revoked."""


class TooLarge(ApiError):
    """413: over 5 MB."""


class RateLimited(ApiError):
    """429, after all retries."""


class ServerError(ApiError):
    """5xx, after all retries."""


class Unavailable(ServerError):
    """503."""


class NotYet(ServerError):
    """504: the events of a receipt are not in the profile yet; read again."""


_BY_STATUS: Final[dict[int, type[ApiError]]] = {
    400: InvalidRequest,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: TooLarge,
    415: InvalidRequest,
    422: InvalidRequest,
    429: RateLimited,
    503: Unavailable,
    504: NotYet,
}
_problem: Final = msgspec.json.Decoder(Problem)


def error_of(status: int, body: bytes, retry_after: int | None) -> ApiError:
    """The error that an answer means, also one that did not come from the platform itself."""
    try:
        problem = _problem.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        text = body[:200].decode("utf-8", "replace")
        problem = Problem(status, message=text or "no reason was given")
    kind = _BY_STATUS.get(status, ServerError if status >= 500 else ApiError)
    return kind(problem, retry_after)
