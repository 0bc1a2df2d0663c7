"""What only the gateway asks: snapshots as they are stored, and how far events are applied."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from services.profile.api import ProfileId, find, find_by
from services.profile.applied import applied, marks_in
from services.profile.hot_copies import HotCopies, copies_of
from services.profile.reads import StoredPerson
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.web import json

_MSGPACK = "application/msgpack"


def internal_routes(database: Database, hot: HotCopies) -> APIRouter:
    router = APIRouter()

    async def refilled(found: StoredPerson, asked: str) -> Response:
        """The stored snapshot; its hot copy is written again on the way."""
        async with database.connection() as connection:
            await hot.write(await copies_of(connection, sorted({found.profile_id, asked})))
        return Response(found.snapshot, media_type=_MSGPACK)

    @router.get("/internal/profiles/by/{namespace}/{token:path}")
    async def by_identifier(namespace: str, token: str) -> Response:
        async with database.connection() as connection:
            found = await find_by(connection, namespace, token)
        return await refilled(found, found.profile_id)

    @router.get("/internal/profiles/{profile_id}")
    async def snapshot(profile_id: ProfileId) -> Response:
        async with database.connection() as connection:
            found = await find(connection, profile_id)
        return await refilled(found, profile_id)

    @router.get("/internal/lookup/{namespace}/{token:path}")
    async def lookup(namespace: str, token: str) -> Response:
        async with database.connection() as connection:
            found = await find_by(connection, namespace, token)
        return json({"profile_id": found.profile_id})

    @router.get("/internal/applied")
    async def is_applied(
        positions: str, wait: Annotated[float, Query(ge=0, le=30)] = 2.0
    ) -> Response:
        if not await applied(database, marks_in(positions), wait):
            raise Problem(504, "not_yet", "these events are not applied yet")
        return json({"applied": True})

    return router
