"""`GET /v1/tracking-plan`: what sources really send."""

from typing import Any, Final

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import PAGE, Admits, Call, Query, page_asked
from services.gateway.domain.scopes import OPS_READ
from services.gateway.stores.tracking import Tracked, TrackingStore
from zhiyin.contracts.instants import rfc3339
from zhiyin.runtime.web import CursorText, Page, decode_cursor, encode_cursor, json

_EXAMPLE: Final = {
    "source": "tmall-flagship",
    "type": "purchase.completed",
    "accepted": 1200,
    "rejected": 3,
    "rejected_share": 0.002494,
    "first_at": "2026-11-11T00:00:03Z",
    "last_at": "2026-11-12T09:30:00Z",
    "refusals": {"invalid_amount /properties/total": 3},
    "unknown_properties": {"promo": 40, "items/brand": 1200},
    "example": {"order_id": "<text>", "total": "<number>", "currency": "CNY"},
}


class TrackedView(Struct, frozen=True):
    """`rejected_share`: of all that came, from 0 to 1. `refusals`: `code pointer` → count.
    `unknown_properties`: path → how many events had it; kept, and readable by rules, but not part
    of the contract. `example`: the shape of the newest accepted event, without anybody's values."""

    source: str
    type: str
    accepted: int
    rejected: int
    rejected_share: float
    first_at: str
    last_at: str
    refusals: dict[str, int]
    unknown_properties: dict[str, int]
    example: dict[str, Any] | None


LIST: Final = Call(
    method="GET",
    path="/v1/tracking-plan",
    scope=OPS_READ,
    service="gateway",
    name="tracking-plan.list",
    summary="What each source sends of each type: counts, refusals, unknown properties, an example",
    tag="operations",
    answer=Page[TrackedView],
    answer_example={"items": [_EXAMPLE], "next_cursor": None},
    query=(*PAGE, Query("source", "only this source"), Query("type", "only this event type")),
)


class TrackingRoutes:
    def __init__(self, gate: Admits, store: TrackingStore) -> None:
        self._gate = gate
        self._store = store

    async def list(self, request: Request) -> Response:
        await self._gate.admit(request, OPS_READ)
        asked = page_asked(request)
        after = ("", "")
        if asked.cursor:
            after = decode_cursor(asked.cursor, tuple[CursorText, CursorText])
        chosen = (request.query_params.get("source"), request.query_params.get("type"))
        found = await self._store.page(after, *chosen, asked.limit + 1)
        page = found[: asked.limit]
        more = encode_cursor(page[-1].source, page[-1].type) if len(found) > asked.limit else None
        return json(Page([_view(each) for each in page], more))


def _view(found: Tracked) -> TrackedView:
    came = found.accepted + found.rejected
    return TrackedView(
        found.source,
        found.type,
        found.accepted,
        found.rejected,
        round(found.rejected / came, 6) if came else 0.0,
        rfc3339(found.first_at),
        rfc3339(found.last_at),
        found.refusals,
        found.unknown,
        found.example,
    )
