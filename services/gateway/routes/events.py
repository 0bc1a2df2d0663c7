"""`POST /v1/events`: the door."""

from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from starlette.requests import Request
from starlette.responses import Response

from services.gateway.calls import Admits, Call, trace_of
from services.gateway.domain.door import Stated
from services.gateway.domain.scopes import EVENTS_WRITE
from services.gateway.envelopes import posted
from services.gateway.ingest import MOST_EVENTS, Ingest, Taken
from zhiyin.runtime.clock import Clock


class Batch(Struct, frozen=True):
    events: Annotated[list[Stated], Meta(min_length=1, max_length=MOST_EVENTS)]


_PURCHASE: Final = {
    "event_id": "tm-88231",
    "type": "purchase.completed",
    "occurred_at": "2026-11-11T00:00:03+08:00",
    "source": "tmall-flagship",
    "customer": {"member_id": "M1001", "phone": "+8613800001111"},
    "properties": {
        "order_id": "O-1",
        "total": "259.00",
        "currency": "CNY",
        "items": [
            {
                "sku": "EJ-250",
                "name": "阿胶糕 250g",
                "category": "阿胶糕",
                "quantity": 2,
                "unit_price": "129.50",
                "pack_days": 30,
            }
        ],
    },
}
_TAKEN: Final[dict[str, Any]] = {"accepted": 1, "rejected": [], "receipt": "kZMAAgFYq3bN"}

CALL: Final = Call(
    method="POST",
    path="/v1/events",
    scope=EVENTS_WRITE,
    service="gateway",
    name="events.post",
    summary="Post one event, or up to 2,500 as {'events': […]}; gzip is accepted",
    tag="events",
    body=(Stated, Batch),
    example=_PURCHASE,
    answer=Taken,
    answer_example=_TAKEN,
    status=202,
    changes=False,
)
INTERNAL: Final = "/internal/events"
_encoder: Final = msgspec.json.Encoder()


class EventRoutes:
    def __init__(self, gate: Admits, ingest: Ingest, clock: Clock) -> None:
        self._gate = gate
        self._ingest = ingest
        self._clock = clock

    async def post(self, request: Request) -> Response:
        await self._gate.admit(request, EVENTS_WRITE)
        return await self.from_inside(request)

    async def from_inside(self, request: Request) -> Response:
        """For our own services, of people they know by phone alone; others are kept out before."""
        with self._ingest.slot():
            now = self._clock()
            taken = await self._ingest.take(await posted(request, now), trace_of(request), now)
        return Response(_encoder.encode(taken), 202, media_type="application/json")
