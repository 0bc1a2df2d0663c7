"""The past, as other services tell it: lives from the profile service's event log, and the segments
in force. Asked through the gateways, which know where everybody is."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

import httpx
import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.replays import ReplayAsked, ReplayPage, decode_replay_page

_TRIES: Final = 6
_SECONDS: Final = 60.0


class HistoryUnavailable(Exception):
    """Nobody told; try again later."""


class History(Protocol):
    async def page(self, since: Instant, until: Instant, after: str) -> ReplayPage:
        """The next lives. Raises HistoryUnavailable."""
        ...

    async def segments(self) -> Mapping[str, Any]:
        """The rules in force, by key. Raises HistoryUnavailable."""
        ...


class _Segment(Struct, frozen=True):
    key: str
    rule: Any


class _Segments(Struct, frozen=True):
    items: list[_Segment]


_segments: Final = msgspec.json.Decoder(_Segments).decode
_json: Final = msgspec.json.Encoder().encode


class ToldHistory:
    """`token` is that of calls between our own services."""

    def __init__(self, client: httpx.AsyncClient, urls: Sequence[str], token: str) -> None:
        self._client = client
        self._urls = tuple(urls)
        self._headers = {"x-zhiyin-internal": token, "x-zhiyin-actor": "engagement"}

    async def page(self, since: Instant, until: Instant, after: str) -> ReplayPage:
        asked = _json(ReplayAsked(since, until, after))
        return decode_replay_page(await self._answer("POST", "/internal/replay", asked))

    async def segments(self) -> Mapping[str, Any]:
        found = _segments(await self._answer("GET", "/internal/segments"))
        return {each.key: each.rule for each in found.items}

    async def _answer(self, method: str, path: str, body: bytes = b"") -> bytes:
        problem = "ZHIYIN_GATEWAY_URLS is not set"
        for turn in range(_TRIES):
            for url in self._urls:
                try:
                    answer = await self._client.request(
                        method,
                        f"{url}{path}",
                        content=body or None,
                        headers={**self._headers, "content-type": "application/json"},
                        timeout=_SECONDS,
                    )
                except httpx.HTTPError as error:
                    problem = f"{url} cannot be asked: {type(error).__name__}"
                    continue
                if answer.status_code == httpx.codes.OK:
                    return answer.content
                problem = f"{url}{path} answered {answer.status_code}"
            await asyncio.sleep(min(2.0**turn / 4, 5.0))
        raise HistoryUnavailable(problem)
