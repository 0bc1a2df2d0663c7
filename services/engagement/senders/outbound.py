"""One request to a place outside: resolved once, no redirects, a bounded answer, a deadline."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import msgspec

from services.engagement.senders.parcel import Failed, Retry
from services.engagement.senders.places import BadPlace, Places, Target, target
from zhiyin.contracts.instants import SECOND, Duration

_ANSWER_BYTES: Final = 16_384
_json: Final = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Answered:
    """`body` is cut where it is longer than anybody should answer."""

    status: int
    body: bytes
    retry_after: Duration | None

    def document(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one where it is none."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return {}


class Outbound:
    def __init__(self, client: httpx.AsyncClient, places: Places, longest: float = 20.0) -> None:
        self.longest = longest
        self._client = client
        self._places = places

    async def post_json(self, url: str, document: Any) -> Answered | Failed | Retry:
        return await self.post(url, _json(document), {"content-type": "application/json"})

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Answered | Failed | Retry:
        return await self.request("POST", url, body, headers)

    async def get(self, url: str) -> Answered | Failed | Retry:
        return await self.request("GET", url, b"", {})

    async def request(
        self, method: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> Answered | Failed | Retry:
        """What was answered, or what it means that nothing was."""
        try:
            # httpx bounds each read; only a deadline bounds a receiver that drips.
            async with asyncio.timeout(self.longest):
                return await self._send(method, target(url), body, headers)
        except BadPlace as error:
            return Failed(f"refused: {error}")
        except TimeoutError:
            return Retry(f"no answer within {self.longest:g} s")
        except OSError as error:
            return Retry(f"cannot resolve the host: {error}")
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            return Retry(f"{type(error).__name__}: {error}"[:300])

    async def _send(
        self, method: str, place: Target, body: bytes, headers: Mapping[str, str]
    ) -> Answered:
        address = await self._places.resolve(place.host, place.port)
        host = f"[{address}]" if ":" in address else address
        request = self._client.build_request(
            method,
            f"{place.scheme}://{host}:{place.port}{place.path}",
            content=body or None,
            headers={"user-agent": "Zhiyin", **headers, "host": place.authority},
            extensions={"sni_hostname": place.host} if place.scheme == "https" else {},
        )
        answer = await self._client.send(request, stream=True)
        try:
            read = bytearray()
            async for part in answer.aiter_raw():
                read += part
                if len(read) > _ANSWER_BYTES:
                    break
        finally:
            await answer.aclose()
        after = _seconds(answer.headers.get("retry-after"))
        return Answered(answer.status_code, bytes(read[:_ANSWER_BYTES]), after)


def ailing(answered: Answered) -> Retry | None:
    """For providers that say everything with 200 and a code in the body: any other status is the
    destination's own trouble."""
    if answered.status == 200:
        return None
    return Retry(f"answered {answered.status}", answered.retry_after)


def _seconds(text: str | None) -> Duration | None:
    """Only whole seconds are understood, as everywhere in the platform."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > 9:
        return None
    return int(text) * SECOND
