"""The gateways' side for our own services: whichever answers is as good as any other."""

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import httpx
import msgspec

T = TypeVar("T")


class GatewayUnavailable(Exception):
    """None of them answered as hoped; says what the last one did."""


class Gateways:
    """`token` is that of calls between our own services."""

    def __init__(self, client: httpx.AsyncClient, urls: Sequence[str], token: str) -> None:
        self._client = client
        self._urls = tuple(urls)
        self._headers = {
            "x-zhiyin-internal": token,
            "x-zhiyin-actor": "engagement",
            "content-type": "application/json",
        }

    @property
    def known(self) -> bool:
        """Whether there is any to ask."""
        return bool(self._urls)

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes | None,
        read: Callable[[httpx.Response], T],
        *,
        seconds: float,
        good: Collection[int] = (httpx.codes.OK,),
        called: str | None = None,
    ) -> T:
        """What `read` makes of the first answer whose status is `good`, and which it can read.
        `called`: who is asked, for people, where an address would tell them nothing. Raises
        GatewayUnavailable."""
        problem = "ZHIYIN_GATEWAY_URLS is not set"
        for url in self._urls:
            asked = called or f"{url}{path}"
            try:
                answer = await self._client.request(
                    method, f"{url}{path}", content=body, headers=self._headers, timeout=seconds
                )
                if answer.status_code in good:
                    return read(answer)
                problem = f"{asked} answered {answer.status_code}"
            except (httpx.HTTPError, msgspec.MsgspecError) as error:
                problem = f"{asked} cannot be asked: {type(error).__name__}"
        raise GatewayUnavailable(problem)
