"""The synchronous client."""

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from zhiyin_client import calls
from zhiyin_client.batching import Batching
from zhiyin_client.calls import Call, step
from zhiyin_client.errors import Unreachable
from zhiyin_client.models import Commanded, Event, Profile, Taken
from zhiyin_client.retrying import Retrying, seconds

T = TypeVar("T")


class Client:
    """May be used by several threads. `key`: `zk_…`; `url`: the gateway's address."""

    def __init__(
        self,
        url: str,
        key: str,
        *,
        timeout: float = 10.0,
        retrying: Retrying | None = None,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._retrying = retrying or Retrying()
        headers = {"authorization": f"Bearer {key}", "user-agent": "zhiyin-client-python"}
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout, transport=transport
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def send(self, events: Sequence[Event]) -> Taken:
        """Up to 2,500 events. Raises InvalidRequest if none of them is valid; see `rejected`."""
        return self._ask(calls.events(events))

    def batching(self, **options: Any) -> Batching:
        """Collects events and sends them from a thread of its own; see `Batching`."""
        return Batching(self.send, **options)

    def profile(
        self, profile_id: str, *, after: str | None = None, known: Profile | None = None
    ) -> Profile:
        """`after`: a receipt whose events have to be in it (NotYet if they take too long);
        `known`: what was read before, returned again if nothing has changed."""
        return self._profile(step(profile_id), after, known)

    def profile_by(
        self, namespace: str, value: str, *, after: str | None = None, known: Profile | None = None
    ) -> Profile:
        """By an identifier; phone and email as people write them."""
        return self._profile(f"by/{step(namespace)}/{step(value)}", after, known)

    def timeline(
        self, profile_id: str, *, type: str | None = None, limit: int = 100
    ) -> Iterator[dict[str, Any]]:
        """What happened, newest first; `limit` is how many are fetched at a time."""
        return self.pages(f"/v1/profiles/{step(profile_id)}/timeline", limit, type=type)

    def actions(self, profile_id: str, *, limit: int = 100) -> Iterator[dict[str, Any]]:
        """What was decided, sent, or skipped and why."""
        return self.pages(f"/v1/profiles/{step(profile_id)}/actions", limit)

    def coupons(self, profile_id: str, *, limit: int = 100) -> Iterator[dict[str, Any]]:
        return self.pages(f"/v1/profiles/{step(profile_id)}/coupons", limit)

    def members(self, segment: str, *, limit: int = 500) -> Iterator[dict[str, Any]]:
        return self.pages(f"/v1/segments/{step(segment)}/members", limit)

    def tag(self, profile_id: str, tag: str, *, until: datetime | None = None) -> Commanded:
        body = {} if until is None else {"until": until}
        path = f"/v1/profiles/{step(profile_id)}/tags/{step(tag)}"
        return self._ask(calls.command("PUT", path, body))

    def untag(self, profile_id: str, tag: str) -> Commanded:
        path = f"/v1/profiles/{step(profile_id)}/tags/{step(tag)}"
        return self._ask(calls.command("DELETE", path))

    def correct(self, profile_id: str, attributes: Mapping[str, Any]) -> Commanded:
        """Sets attributes; None takes one away."""
        path = f"/v1/profiles/{step(profile_id)}/attributes"
        return self._ask(calls.command("PATCH", path, attributes))

    def merge(self, keep: str, absorb: str) -> Commanded:
        body = {"keep": keep, "absorb": absorb}
        return self._ask(calls.command("POST", "/v1/profiles/merge", body, once=True))

    def redeem(
        self, code: str, order_id: str, amount: str, *, store_id: str | None = None
    ) -> dict[str, Any]:
        """Once; again for the same order gives the same answer. Raises Conflict or Gone."""
        body = {"order_id": order_id, "amount": amount, "store_id": store_id}
        return dict(self._ask(calls.coupon(code, "redeem", body)))

    def reverse(self, code: str, order_id: str) -> dict[str, Any]:
        body = {"order_id": order_id}
        return dict(self._ask(calls.coupon(code, "reverse", body)))

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int | None] | None = None,
        body: Any = None,
        once: bool = False,
    ) -> Any:
        """Any other call of the API; its answer as plain Python. `once`: with an idempotency key,
        so that a POST may be tried again when no answer came."""
        return self._ask(calls.call(method, path, Any, query=query, body=body, once=once))

    def pages(self, path: str, limit: int = 100, **query: str | None) -> Iterator[Any]:
        """Every item of a list, page by page as they are needed."""
        cursor: str | None = None
        while True:
            found = self._ask(calls.page(path, cursor, limit, **query))
            yield from found.items
            cursor = found.next_cursor
            if cursor is None:
                return

    def _profile(self, path: str, after: str | None, known: Profile | None) -> Profile:
        asked = calls.profile(path, after, known)
        return calls.profile_of(self._answer(asked), asked, known)

    def _ask(self, asked: Call[T]) -> T:
        return asked.read(self._answer(asked))

    def _answer(self, asked: Call[Any]) -> httpx.Response:
        """The answer, or the last one of several. Raises Unreachable if none came."""
        attempt = 1
        while True:
            status, retry_after, failed = None, None, None
            try:
                answer = self._http.request(
                    asked.method,
                    asked.path,
                    params=asked.query,
                    headers=asked.headers,
                    content=asked.content,
                )
                status, retry_after = answer.status_code, seconds(answer.headers.get("retry-after"))
            except httpx.TransportError as error:
                answer, failed = None, error
            wait = self._retrying.wait(attempt, asked.again, status, retry_after, random.random)
            if wait is None:
                if answer is None:
                    raise Unreachable(str(failed) or type(failed).__name__) from failed
                return answer
            time.sleep(wait)
            attempt += 1
