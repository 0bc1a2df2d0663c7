"""Which segments and tags there are: other services know, and the gateway asks them."""

from collections.abc import Collection
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from services.engagement.gateways import Gateways, GatewayUnavailable
from zhiyin.runtime.problems import Problem

_PATH: Final = "/internal/names"
_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 2


class Unknown(Struct, frozen=True):
    """Those of the names asked about that nobody knows."""

    segments: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()


class Names(Protocol):
    async def unknown(self, segments: Collection[str], tags: Collection[str]) -> Unknown: ...


_unknown: Final = msgspec.json.Decoder(Unknown).decode


class GatewayNames:
    """No gateway to ask: every name passes."""

    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    async def unknown(self, segments: Collection[str], tags: Collection[str]) -> Unknown:
        """Raises Problem (503) when no gateway answers."""
        if not self._gateways.known or not (segments or tags):
            return Unknown()
        body = msgspec.json.encode({"segments": sorted(segments), "tags": sorted(tags)})
        try:
            return await self._gateways.ask(
                "POST", _PATH, body, lambda answer: _unknown(answer.content), seconds=_SECONDS
            )
        except GatewayUnavailable as error:
            message = "which segments and tags there are cannot be asked now"
            raise Problem(503, "unavailable", message, retry_after=_RETRY_SECONDS) from error
