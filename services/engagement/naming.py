"""Which segments and tags there are: other services know, and the gateway asks them."""

from collections.abc import Collection, Sequence
from typing import Final, Protocol

import httpx
import msgspec
from msgspec import Struct

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
    """`urls` empty: nobody to ask, so that every name passes."""

    def __init__(self, client: httpx.AsyncClient, urls: Sequence[str], token: str) -> None:
        self._client = client
        self._urls = tuple(urls)
        self._token = token

    async def unknown(self, segments: Collection[str], tags: Collection[str]) -> Unknown:
        """Raises Problem (503) when no gateway answers."""
        if not self._urls or not (segments or tags):
            return Unknown()
        body = {"segments": sorted(segments), "tags": sorted(tags)}
        for url in self._urls:
            try:
                answer = await self._client.post(
                    f"{url}{_PATH}",
                    json=body,
                    headers={"x-zhiyin-internal": self._token},
                    timeout=_SECONDS,
                )
                if answer.status_code == httpx.codes.OK:
                    return _unknown(answer.content)
            except (httpx.HTTPError, msgspec.MsgspecError):
                continue
        message = "which segments and tags there are cannot be asked now"
        raise Problem(503, "unavailable", message, retry_after=_RETRY_SECONDS)
