"""Calls to the services behind the gateway, with failover between their instances."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import httpx
from msgspec import Struct

from zhiyin.runtime.problems import PROBLEM_JSON, Problem

PROFILE: Final = "profile"
SEGMENTATION: Final = "segmentation"
ENGAGEMENT: Final = "engagement"

T = TypeVar("T")
_DOWN_SECONDS: Final = 2.0
_RETRY_SECONDS: Final = 2
_NEVER_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)
_REPEATABLE: Final = frozenset({"GET", "HEAD", "PUT", "DELETE"})
_KEPT_HEADERS: Final = ("retry-after", "location", "link")


class Asked(Struct, frozen=True):
    """`target` is path and query, percent-encoded. `timeout` in seconds. `brands`: whose campaigns
    the caller sees (None: all)."""

    method: str
    target: str
    actor: str
    traceparent: str
    body: bytes = b""
    accept: str = "application/json"
    timeout: float = 15.0
    brands: frozenset[str] | None = None


class Answer(Struct, frozen=True):
    status: int
    media_type: str
    body: bytes
    headers: Mapping[str, str] = {}


class Streamed(Struct, frozen=True):
    """An answer that is handed on while it comes. Close `chunks` when nobody listens any more."""

    media_type: str
    chunks: AsyncIterator[bytes]


class _Instances:
    """The instances of one service; the one that answered last is asked first."""

    def __init__(self, urls: Sequence[str]) -> None:
        self.urls = tuple(url.rstrip("/") for url in urls)
        self._down_until = dict.fromkeys(self.urls, 0.0)
        self._turn = 0

    def in_order(self, now: float) -> Sequence[str]:
        """In turn, those lately found away at the end."""
        self._turn += 1
        start = self._turn % max(len(self.urls), 1)
        turned = self.urls[start:] + self.urls[:start]
        return sorted(turned, key=lambda url: self._down_until[url] > now)

    def away(self, url: str, now: float) -> None:
        self._down_until[url] = now + _DOWN_SECONDS


class Upstreams:
    def __init__(
        self,
        urls: Mapping[str, Sequence[str]],
        client: httpx.AsyncClient,
        token: str,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._instances = {service: _Instances(each) for service, each in urls.items()}
        self._client = client
        self._token = token
        self._monotonic = monotonic

    def urls(self, service: str) -> Sequence[str]:
        return self._instances[service].urls

    async def ask(self, service: str, asked: Asked) -> Answer:
        """The answer of the first instance that gives one. Raises Problem (503) when none does."""
        return await self._first(service, asked, self.ask_instance)

    async def stream(self, service: str, asked: Asked) -> Answer | Streamed:
        """As `ask`, for an answer that comes bit by bit; a refusal comes whole."""
        return await self._first(service, asked, self._stream_instance)

    async def _first(
        self, service: str, asked: Asked, ask: Callable[[str, Asked], Awaitable[T]]
    ) -> T:
        instances = self._instances[service]
        for url in instances.in_order(self._monotonic()):
            try:
                return await ask(url, asked)
            except httpx.TransportError as error:
                instances.away(url, self._monotonic())
                if not isinstance(error, _NEVER_SENT) and asked.method not in _REPEATABLE:
                    raise Problem(
                        503,
                        "outcome_unknown",
                        f"the {service} service broke off: the call may have taken effect or not",
                        retry_after=_RETRY_SECONDS,
                    ) from error
        raise Problem(
            503, "unavailable", f"the {service} service is away", retry_after=_RETRY_SECONDS
        )

    async def ask_instance(self, url: str, asked: Asked) -> Answer:
        """Raises httpx.TransportError."""
        return _answer(await self._client.send(self._request(url, asked)))

    async def _stream_instance(self, url: str, asked: Asked) -> Answer | Streamed:
        response = await self._client.send(self._request(url, asked), stream=True)
        if response.status_code != 200:
            await response.aread()
            return _answer(response)
        return Streamed(response.headers.get("content-type", ""), _chunks(response))

    def _request(self, url: str, asked: Asked) -> httpx.Request:
        return self._client.build_request(
            asked.method,
            url + asked.target,
            content=asked.body or None,
            headers={
                "x-zhiyin-internal": self._token,
                "x-zhiyin-actor": asked.actor,
                "traceparent": asked.traceparent,
                "accept": asked.accept,
                **({"content-type": "application/json"} if asked.body else {}),
                **({} if asked.brands is None else {"x-zhiyin-brands": _listed(asked.brands)}),
            },
            timeout=httpx.Timeout(asked.timeout, connect=2.0),
        )


def _listed(brands: frozenset[str]) -> str:
    return ",".join(sorted(brands))


async def _chunks(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for chunk in response.aiter_raw():
            yield chunk
    finally:
        await response.aclose()


def _answer(response: httpx.Response) -> Answer:
    media_type = response.headers.get("content-type", "application/json")
    if response.status_code >= 500 and not media_type.startswith(PROBLEM_JSON):
        raise Problem(502, "upstream_failed", "a service behind the gateway failed")
    kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return Answer(response.status_code, media_type, response.content, kept)
