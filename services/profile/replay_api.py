"""`POST /internal/replay`: lives told again, page by page, for trying campaigns on history."""

import asyncio
from typing import Final

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.profile import former, store
from services.profile.arrivals import from_log
from services.profile.catalogue import Catalogue
from services.profile.domain.policy import Policy
from services.profile.domain.reading import Reader
from services.profile.domain.reliving import relive
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.replays import Life, ReplayAsked, ReplayPage
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import body

# A page is this many people, or fewer where they have long lives.
_PEOPLE: Final = 50
_BYTES: Final = 4 * 1024 * 1024
# Live events go between the people of a page.
_BREATH: Final = 0.001


def replay_routes(
    database: Database, reader: Reader, catalogue: Catalogue, policy: Policy
) -> APIRouter:
    router = APIRouter()

    async def one(profile_id: str, asked: ReplayAsked) -> Life:
        async with database.transaction() as tx:
            rules = await catalogue.current(tx)
            formers = [each.profile_id for each in await former.formers(tx, profile_id)]
            logged = await store.history(tx, [profile_id, *formers])
        history = from_log(reader, logged)
        return relive(profile_id, history, rules, policy, asked.since, asked.until)

    @router.post("/internal/replay")
    async def page(request: Request) -> Response:
        asked = body(ReplayAsked, await request.body())
        async with database.connection() as connection:
            ids = await store.ids_after(connection, asked.after, _PEOPLE)
            people = await store.count_people(connection)
        lives: list[Life] = []
        size = 0
        for profile_id in ids:
            lives.append(life := await one(profile_id, asked))
            size += sum(len(bytes(step.snapshot)) for step in life.steps)
            await asyncio.sleep(_BREATH)
            if size > _BYTES:
                break
        over = len(lives) == len(ids) < _PEOPLE
        answer = ReplayPage(lives, None if over or not ids else ids[len(lives) - 1], people)
        return Response(encode(answer), media_type="application/msgpack")

    return router
