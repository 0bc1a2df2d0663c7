"""Every call as data: what to ask and how to read the answer. Both clients send these."""

import gzip
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, Final, Generic, TypeVar
from urllib.parse import quote

import httpx
import msgspec
from msgspec import Struct

from zhiyin_client.errors import error_of
from zhiyin_client.models import Commanded, Event, Page, Profile, Taken
from zhiyin_client.retrying import seconds

T = TypeVar("T")
_WORTH_ZIPPING: Final = 1024
_encoder: Final = msgspec.json.Encoder()


class Call(Struct, Generic[T], frozen=True):
    """`answer`: the type to decode. `again`: doing it twice does no harm, so it may be tried again
    when it is not known whether it was done."""

    method: str
    path: str
    answer: Any
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    content: bytes | None = None
    again: bool = False

    def read(self, answer: httpx.Response) -> T:
        """Raises ApiError for a refusal."""
        if answer.status_code >= 400:
            wait = seconds(answer.headers.get("retry-after"))
            raise error_of(answer.status_code, answer.content, wait)
        if self.answer is None:
            return None  # type: ignore[return-value]
        found: T = msgspec.json.decode(answer.content, type=self.answer)
        return found


def call(
    method: str,
    path: str,
    answer: Any,
    *,
    query: Mapping[str, str | int | None] | None = None,
    body: Any = None,
    headers: Mapping[str, str] | None = None,
    once: bool = False,
    again: bool = False,
) -> Call[Any]:
    """`once`: it creates something, under an idempotency key that stays on every retry."""
    sent = dict(headers or {})
    content = None if body is None else _encoder.encode(body)
    if content is not None:
        sent["content-type"] = "application/json"
        if len(content) > _WORTH_ZIPPING:
            sent["content-encoding"] = "gzip"
            content = gzip.compress(content, compresslevel=5)
    if once:
        sent["idempotency-key"] = str(uuid.uuid4())
    asked = {name: str(value) for name, value in (query or {}).items() if value is not None}
    return Call(method, path, answer, asked, sent, content, again or once or method != "POST")


def step(value: str) -> str:
    """One step of a path."""
    return quote(value, safe="")


def events(sent: Sequence[Event]) -> Call[Taken]:
    return call("POST", "/v1/events", Taken, body={"events": sent}, again=True)


def profile(path: str, after: str | None, known: Profile | None) -> Call[Profile]:
    etag = known.etag if known is not None else None
    headers = {"if-none-match": etag} if etag else {}
    return call("GET", f"/v1/profiles/{path}", Profile, query={"after": after}, headers=headers)


def profile_of(answer: httpx.Response, asked: Call[Profile], known: Profile | None) -> Profile:
    """The profile, which is the known one if nothing has changed."""
    if answer.status_code == httpx.codes.NOT_MODIFIED and known is not None:
        return known
    return msgspec.structs.replace(asked.read(answer), etag=answer.headers.get("etag"))


def page(path: str, cursor: str | None, limit: int, **query: str | None) -> Call[Page[Any]]:
    return call("GET", path, Page[Any], query={**query, "limit": limit, "cursor": cursor})


def coupon(code: str, verb: str, body: Mapping[str, Any]) -> Call[Any]:
    """For the same order these give the same answer again."""
    return call("POST", f"/v1/coupons/{step(code)}/{verb}", Any, body=body, again=True)


def command(method: str, path: str, body: Any = None, *, once: bool = False) -> Call[Commanded]:
    return call(method, path, Commanded, body=body, once=once)
