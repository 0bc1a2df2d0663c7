"""The HTTP side of counting people: previews, and what segments have in common."""

from fastapi import APIRouter, Request
from starlette.responses import Response, StreamingResponse

from services.segmentation.given_rules import given_rule
from services.segmentation.overlap import overlap_of
from services.segmentation.preview import Previews
from zhiyin.contracts.segments import OverlapSpec, PreviewSpec
from zhiyin.runtime.answers import NDJSON, json_line
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import body, json


def counting_routes(database: Database, previews: Previews) -> APIRouter:
    router = APIRouter()

    @router.post("/v1/segments/preview")
    async def preview(request: Request) -> Response:
        asked = body(PreviewSpec, await request.body())
        given = given_rule(asked.rule, asked.text)
        with given.pointing():
            rule = await previews.check(given.tree)
        if NDJSON in request.headers.get("accept", ""):
            lines = (json_line(each) async for each in previews.counting(rule))
            return StreamingResponse(lines, media_type=NDJSON)
        return json(await previews.preview(rule))

    @router.post("/v1/segments/overlap")
    async def overlap(request: Request) -> Response:
        spec = body(OverlapSpec, await request.body())
        return json(await overlap_of(database, spec.segments))

    return router
