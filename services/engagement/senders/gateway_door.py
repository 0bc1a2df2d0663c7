"""Events whose people are known by phone only: posted through the gateway's own door."""

from collections.abc import Sequence
from typing import Any, Final

import httpx
import msgspec
import structlog

from zhiyin.runtime.problems import Problem

_log = structlog.get_logger(__name__)
_SECONDS: Final = 10.0


class GatewayDoor:
    def __init__(self, client: httpx.AsyncClient, urls: Sequence[str], token: str) -> None:
        self._client = client
        self._urls = tuple(urls)
        self._token = token

    async def post(self, events: Sequence[dict[str, Any]]) -> None:
        """Returns once they are durable, but for those that can never be events (a number that is
        none). Raises Problem (503): whoever called back calls again."""
        for url in self._urls:
            try:
                answer = await self._client.post(
                    f"{url}/internal/events",
                    content=msgspec.json.encode({"events": list(events)}),
                    headers={
                        "x-zhiyin-internal": self._token,
                        "content-type": "application/json",
                    },
                    timeout=_SECONDS,
                )
            except httpx.HTTPError:
                continue
            if answer.status_code == 400:
                _log.warning("replies_refused_at_the_door", answer=answer.text[:300])
            if answer.status_code in (202, 400):
                return
        raise Problem(503, "unavailable", "no gateway takes the events in", retry_after=5)
