"""`POST /internal/replay`, `GET /internal/segments`: what engagement asks of others to try a
campaign on history. The gateway knows where they are, and which instance answers."""

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import Asks, passed_on
from services.gateway.upstreams import PROFILE, SEGMENTATION, Asked

REPLAY: Final = "/internal/replay"
SEGMENTS: Final = "/internal/segments"
_SECONDS: Final = 60.0


class ReplayRoutes:
    """The middleware before it lets only callers with the internal token through."""

    def __init__(self, upstreams: Asks) -> None:
        self._upstreams = upstreams

    async def replay(self, request: Request) -> Response:
        asked = Asked(
            "POST", REPLAY, _actor(request), _trace(request), await request.body(),
            timeout=_SECONDS,
        )  # fmt: skip
        return passed_on(await self._upstreams.ask(PROFILE, asked))

    async def segments(self, request: Request) -> Response:
        asked = Asked("GET", "/v1/segments", _actor(request), _trace(request), timeout=_SECONDS)
        return passed_on(await self._upstreams.ask(SEGMENTATION, asked))


def _actor(request: Request) -> str:
    return request.headers.get("x-zhiyin-actor", "")


def _trace(request: Request) -> str:
    return str(request.scope.get("traceparent", ""))
