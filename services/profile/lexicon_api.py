"""The lexicon over HTTP, for the gateway; and what the platform makes out in a text."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.profile import lexicon
from services.profile.hearing import Hearing
from zhiyin.contracts.words import KeywordPut, KeywordSpec, Phrase, TextModelView, TextSpec
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.web import (
    Cursor,
    Limit,
    Page,
    body,
    convert,
    decode_cursor,
    encode_cursor,
    json,
)
from zhiyin.wording import Model


def lexicon_routes(database: Database, hearing: Hearing, model: Model | None) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/lexicon")
    async def listed(limit: Limit = 100, cursor: Cursor = None) -> Response:
        after = "" if cursor is None else decode_cursor(cursor, tuple[str])[0]
        async with database.connection() as connection:
            found = [each for each in await lexicon.views(connection) if each.phrase > after]
        page = found[:limit]
        return json(Page(page, encode_cursor(page[-1].phrase) if len(found) > limit else None))

    @router.put("/v1/lexicon/{phrase}")
    async def put(request: Request, phrase: str) -> Response:
        """Texts that come from now on are made out by it."""
        spec = body(KeywordSpec, await request.body())
        named = convert(Phrase, phrase, code="invalid_phrase")
        async with database.transaction() as tx:
            return json(KeywordPut(named, await lexicon.put(tx, named, spec)))

    @router.delete("/v1/lexicon/{phrase}")
    async def delete(phrase: str) -> Response:
        named = convert(Phrase, phrase, code="invalid_phrase")
        async with database.transaction() as tx:
            if not await lexicon.forget(tx, named):
                raise Problem(404, "unknown_phrase", f"the lexicon has no {named!r}")
        return Response(status_code=204)

    @router.post("/v1/texts/classify")
    async def classify(request: Request) -> Response:
        spec = body(TextSpec, await request.body())
        async with database.connection() as connection:
            classifier = await hearing.current(connection)
        return json(classifier.hear(spec.text, spec.score))

    @router.get("/v1/texts/model")
    async def shown() -> Response:
        async with database.connection() as connection:
            revision = await lexicon.revision(connection)
        if model is None:
            return json(TextModelView("", revision, {}))
        return json(TextModelView(model.version, revision, model.scores))

    return router
