"""What the libraries of Segment and RudderStack call, unmodified."""

import base64
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, Final, Literal

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.auth import Caller
from services.gateway.bodies import read_bytes, unzip
from services.gateway.calls import Admits, Call, trace_of
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.scopes import EVENTS_WRITE
from services.gateway.domain.sdk.messages import Sent, sent
from services.gateway.ingest import Ingest
from services.gateway.sdk import SdkIngest
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import FieldError, Problem

_TAG: Final = "SDKs"
_GZIP: Final = b"\x1f\x8b"
_SOURCE: Final = "sdk"
_LONGEST_SOURCE: Final = 128
_SUCCESS: Final = b'{"success":true}'


class Success(Struct, frozen=True):
    success: Literal[True]


class SdkBatch(Struct, frozen=True, rename="camel"):
    """`batch`: messages of the Segment spec, each with its `type`."""

    batch: list[dict[str, Any]]
    sent_at: str | None = None
    context: dict[str, Any] = {}
    write_key: str | None = None


_WHO: Final = {"userId": "M1001", "anonymousId": "a-77"}
_WHEN: Final = {"messageId": "m-1", "timestamp": "2026-11-11T00:00:03+08:00"}
_TRACK: Final = {
    **_WHEN,
    **_WHO,
    "event": "Order Completed",
    "properties": {
        "order_id": "O-1",
        "total": 259.0,
        "currency": "CNY",
        "products": [
            {"product_id": "EJ-250", "name": "阿胶糕 250g", "price": 129.5, "quantity": 2}
        ],
    },
}
_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "track": _TRACK,
    "identify": {**_WHEN, **_WHO, "traits": {"phone": "+8613800001111", "city": "杭州"}},
    "page": {**_WHEN, **_WHO, "name": "阿胶糕", "properties": {"path": "/p/EJ-250"}},
    "screen": {**_WHEN, **_WHO, "name": "首页"},
    "group": {**_WHEN, **_WHO, "groupId": "club-1", "traits": {"name": "健身俱乐部"}},
    "alias": {**_WHEN, "userId": "M1001", "previousId": "a-77"},
}
# By type: what browsers call them. Their first letter, and a whole batch.
_SHORT: Final = {kind: kind[0] for kind in _EXAMPLES if kind != "screen"}


def _call(path: str, name: str, summary: str, body: Any, example: Any) -> Call:
    return Call(
        method="POST",
        path=f"/v1/{path}",
        scope=EVENTS_WRITE,
        service="gateway",
        name=name,
        summary=summary,
        tag=_TAG,
        body=body,
        example=example,
        answer=Success,
        answer_example={"success": True},
        changes=False,
    )


BATCH: Final = _call(
    "batch",
    "sdk.batch",
    "Messages of a Segment or RudderStack SDK (browsers: `/v1/b`)",
    SdkBatch,
    {"batch": [{"type": "track", **_TRACK}], "sentAt": "2026-11-11T00:00:04+08:00"},
)
SINGLE: Final = {
    kind: _call(
        kind,
        f"sdk.{kind}",
        f"One {kind} message" + (f" (browsers: `/v1/{_SHORT[kind]}`)" if kind in _SHORT else ""),
        dict[str, Any],
        example,
    )
    for kind, example in _EXAMPLES.items()
}


class SdkRoutes:
    def __init__(self, gate: Admits, ingest: Ingest, sdk: SdkIngest, clock: Clock) -> None:
        self._gate = gate
        self._ingest = ingest
        self._sdk = sdk
        self._clock = clock

    def calls(self) -> Iterator[tuple[Call, Callable[[Request], Awaitable[Response]]]]:
        yield BATCH, self.taking(None)
        for kind, call in SINGLE.items():
            yield call, self.taking(kind)

    def others(self) -> Iterator[tuple[str, Callable[[Request], Awaitable[Response]]]]:
        """Paths that are other names of the calls."""
        yield "/v1/b", self.taking(None)
        yield "/beacon/v1/batch", self.taking(None)
        for kind, short in _SHORT.items():
            yield f"/v1/{short}", self.taking(kind)
        yield "/v1/m", _measured

    def taking(self, message_type: str | None) -> Callable[[Request], Awaitable[Response]]:
        """The handler of a call for one type of message, or for a batch."""

        async def take(request: Request) -> Response:
            caller = await self._caller(request) if "authorization" in request.headers else None
            with self._ingest.slot():
                found = sent(await _body(request), message_type)
                if isinstance(found, Rejection):
                    raise _refused(found)
                if caller is None:
                    caller = await self._caller(_with_key(request, found))
                source = caller.name[:_LONGEST_SOURCE] or _SOURCE
                await self._sdk.take(found, source, trace_of(request), self._clock())
            return Response(_SUCCESS, media_type="application/json")

        return take

    async def _caller(self, request: Request) -> Caller:
        return await self._gate.admit(request, EVENTS_WRITE)


def _with_key(request: Request, found: Sent) -> Request:
    """A page that is being left can send no header: its key is in the address or in the body."""
    key = request.query_params.get("writeKey") or found.write_key
    if key is None:
        return request
    basic = base64.b64encode(f"{key}:".encode())
    headers = [*request.scope["headers"], (b"authorization", b"Basic " + basic)]
    return Request({**request.scope, "headers": headers})


def _refused(refusal: Rejection) -> Problem:
    error = FieldError(refusal.pointer, refusal.code, refusal.message)
    return Problem(400, refusal.code, refusal.message, errors=[error])


async def _body(request: Request) -> bytes:
    """Unzipped if it is zipped, whatever the headers call it."""
    body = await read_bytes(request)
    return unzip(request, body) if body.startswith(_GZIP) else body


async def _measured(_: Request) -> Response:
    """What a library measures of itself: of no use here, and it would not stop asking."""
    return Response(_SUCCESS, media_type="application/json")
