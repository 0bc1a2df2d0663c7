"""What is posted to `/v1/events`, however it is wrapped."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request

from services.gateway.bodies import media_type_of, read_json
from services.gateway.domain import cloudevents
from services.gateway.domain.cloudevents import Opened
from services.gateway.domain.rejection import Rejection
from services.gateway.ingest import Posted, at_most, split
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.problems import FieldError, Problem

_CLOUDEVENTS: Final = frozenset({cloudevents.STRUCTURED, cloudevents.BATCH})
_BINARY: Final = "ce-specversion"


async def posted(request: Request, now: Instant) -> Posted:
    """Events as the contract has them, or as CloudEvents by the media type or the headers. Raises
    Problem (400, 413, 415) for what cannot be told apart into events."""
    body = await read_json(request, _CLOUDEVENTS)
    media_type = media_type_of(request)
    if media_type == cloudevents.BATCH:
        found = cloudevents.batch(body, now)
        if isinstance(found, Rejection):
            error = FieldError(found.pointer, found.code, found.message)
            raise Problem(400, found.code, found.message, errors=[error])
        at_most([each.raw for each in found])
        return _opened(found, of_many=True)
    if media_type == cloudevents.STRUCTURED:
        return _opened([cloudevents.structured(body, now)], of_many=False)
    if _BINARY in request.headers:
        return _opened([cloudevents.binary(request.headers, body, now)], of_many=False)
    return split(body)


def _opened(events: Sequence[Opened], *, of_many: bool) -> Posted:
    def place(index: int, pointer: str) -> str:
        root = f"/{index}" if of_many else ""
        return root + events[index].pointer(pointer)

    refusals = {index: each.refusal for index, each in enumerate(events) if each.refusal}
    return Posted([each.raw for each in events], place, refusals)
