"""`/internal/erasures`: what was erased of a person, for the gateway's receipt."""

from fastapi import APIRouter
from starlette.responses import Response

from zhiyin.runtime.answers import json
from zhiyin.runtime.db import Database
from zhiyin.runtime.erasures import erasure_counts
from zhiyin.runtime.problems import Problem


def erasure_routes(database: Database) -> APIRouter:
    router = APIRouter()

    @router.get("/internal/erasures/{profile_id}")
    async def show(profile_id: str) -> Response:
        async with database.connection() as connection:
            counts = await erasure_counts(connection, profile_id)
        if counts is None:
            raise Problem(
                404, "unknown_erasure", "this person has not been erased here, or not yet"
            )
        return json({"counts": counts})

    return router
