"""Events whose people are known by phone only: posted through the gateway's own door."""

from collections.abc import Sequence
from typing import Any, Final

import httpx
import msgspec
import structlog

from services.engagement.gateways import Gateways, GatewayUnavailable
from zhiyin.runtime.problems import Problem

_log = structlog.get_logger(__name__)
_SECONDS: Final = 10.0


class GatewayDoor:
    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    async def post(self, events: Sequence[dict[str, Any]]) -> None:
        """Returns once they are durable, but for those that can never be events (a number that is
        none). Raises Problem (503): whoever called back calls again."""
        body = msgspec.json.encode({"events": list(events)})
        try:
            refused = await self._gateways.ask(
                "POST", "/internal/events", body, _refusal, seconds=_SECONDS, good=(202, 400)
            )
        except GatewayUnavailable as error:
            message = "no gateway takes the events in"
            raise Problem(503, "unavailable", message, retry_after=5) from error
        if refused is not None:
            _log.warning("replies_refused_at_the_door", answer=refused)


def _refusal(answer: httpx.Response) -> str | None:
    return answer.text[:300] if answer.status_code == httpx.codes.BAD_REQUEST else None
