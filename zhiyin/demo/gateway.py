"""The public gateway as a storefront sees it."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final

import httpx
import msgspec
from msgspec import Struct

from zhiyin.demo.connection import Connection
from zhiyin.demo.errors import DemoError

_BUSY: Final = frozenset({429, 502, 503, 504})
PATIENCE_SECONDS: Final = 300.0
_FIRST_ANSWER_SECONDS: Final = 5.0


class Rejection(Struct, frozen=True):
    """Why an event was not taken; which one, as far as the answer says."""

    event_id: str | None = None
    code: str = ""
    message: str = ""
    pointer: str = ""

    def __str__(self) -> str:
        return f"{self.event_id or self.pointer}: {self.code} {self.message}".strip()


class _Refusal(Struct, frozen=True):
    """The problem document of a batch without one valid event."""

    code: str = "bad_request"
    message: str = ""
    errors: list[Rejection] = []


class Accepted(Struct, frozen=True):
    """The gateway's 202."""

    accepted: int
    rejected: list[Rejection] = []
    receipt: str = ""


_accepted: Final = msgspec.json.Decoder(Accepted)


class Gateway:
    """Calls that go on until they are answered: when the platform is busy or away for a while, the
    same body is sent again, which is safe because event ids are."""

    def __init__(self, client: httpx.AsyncClient, patience: float = PATIENCE_SECONDS) -> None:
        self._client = client
        self._patience = patience

    async def post_events(self, events: Sequence[bytes]) -> Accepted:
        """Raises DemoError when refused as a whole, or after the patience (seconds) is over."""
        body = b'{"events":[' + b",".join(events) + b"]}"
        answer = await self._answer("POST", "/v1/events", content=body)
        if answer.status_code == httpx.codes.BAD_REQUEST:
            return Accepted(0, _none_valid(answer))
        return _accepted.decode(_checked(answer).content)

    async def get(self, path: str, **params: str | int) -> Any:
        """The JSON answered. Raises DemoError for anything but 2xx."""
        answer = await self._call("GET", path, params=params)
        return answer.json()

    async def find(self, path: str) -> Any | None:
        """The JSON answered, or None where there is nothing (404)."""
        answer = await self._answer("GET", path)
        return None if answer.status_code == httpx.codes.NOT_FOUND else _checked(answer).json()

    async def post(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = await self._call("POST", path, json=body)
        return answer.json()

    async def put(self, path: str, body: Mapping[str, Any]) -> Any:
        answer = await self._call("PUT", path, json=body)
        return answer.json()

    async def _call(self, method: str, path: str, **request: Any) -> httpx.Response:
        return _checked(await self._answer(method, path, **request))

    async def _answer(self, method: str, path: str, **request: Any) -> httpx.Response:
        give_up = time.monotonic() + self._patience
        pause = 0.2
        while True:
            try:
                answer = await self._client.request(method, path, **request)
            except httpx.TransportError as error:
                trouble, wait = str(error) or type(error).__name__, pause
            else:
                if answer.status_code not in _BUSY:
                    return answer
                trouble = f"{answer.status_code} {answer.text[:200]}"
                wait = max(_retry_after(answer), pause)
            if time.monotonic() + wait > give_up:
                raise DemoError(f"the gateway did not take {method} {path}: {trouble}")
            await asyncio.sleep(wait)
            pause = min(pause * 2, 5.0)


@asynccontextmanager
async def reach(connection: Connection) -> AsyncIterator[Gateway]:
    """The gateway of a platform that runs. Raises DemoError when nothing answers there."""
    async with _client(connection.gateway, connection.admin_key) as client:
        try:
            await Gateway(client, _FIRST_ANSWER_SECONDS).get("/v1/system")
        except DemoError as error:
            raise DemoError(
                f"the platform at {connection.gateway} cannot be used; "
                f"`zhiyin status` shows its state ({error})"
            ) from error
        yield Gateway(client)


def _client(url: str, key: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=url,
        headers={"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        timeout=httpx.Timeout(30.0, connect=3.0),
        limits=httpx.Limits(max_connections=32, max_keepalive_connections=32),
        trust_env=False,
    )


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    request = answer.request
    raise DemoError(
        f"{request.method} {request.url.path} was answered {answer.status_code}: "
        f"{answer.text[:300]}"
    )


def _none_valid(answer: httpx.Response) -> list[Rejection]:
    refusal = msgspec.json.decode(answer.content, type=_Refusal)
    return refusal.errors or [Rejection(code=refusal.code, message=refusal.message)]


def _retry_after(answer: httpx.Response) -> float:
    text = answer.headers.get("Retry-After", "")
    return float(text) if text.isdecimal() else 0.0
