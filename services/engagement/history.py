"""The past, as other services tell it: lives from the profile service's event log, and the segments
in force. Asked through the gateways, which know where everybody is."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, Protocol

import msgspec
from msgspec import Struct

from services.engagement.gateways import Gateways, GatewayUnavailable
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
    def __init__(self, gateways: Gateways) -> None:
        self._gateways = gateways

    async def page(self, since: Instant, until: Instant, after: str) -> ReplayPage:
        asked = _json(ReplayAsked(since, until, after))
        return decode_replay_page(await self._answer("POST", "/internal/replay", asked))

    async def segments(self) -> Mapping[str, Any]:
        found = _segments(await self._answer("GET", "/internal/segments"))
        return {each.key: each.rule for each in found.items}

    async def _answer(self, method: str, path: str, body: bytes | None = None) -> bytes:
        problem = ""
        for turn in range(_TRIES):
            try:
                return await self._gateways.ask(
                    method, path, body, lambda answer: answer.content, seconds=_SECONDS
                )
            except GatewayUnavailable as error:
                problem = str(error)
            await asyncio.sleep(min(2.0**turn / 4, 5.0))
        raise HistoryUnavailable(problem)
