"""Profiles over HTTP, for the gateway: reading people."""

from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from services.profile import reads
from services.profile.reads import StoredPerson
from services.profile.views import timeline_item
from zhiyin.contracts.events import NAMESPACES
from zhiyin.contracts.health import allowed
from zhiyin.contracts.profiles import decode_snapshot
from zhiyin.contracts.properties.event_types import known
from zhiyin.facts import profile_view
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.web import (
    Cursor,
    CursorInstant,
    CursorText,
    Limit,
    Page,
    decode_cursor,
    encode_cursor,
    json,
)

ProfileId = Annotated[str, Path(max_length=64)]


def unknown_profile() -> Problem:
    return Problem(404, "unknown_profile", "there is no such profile")


def read_routes(database: Database, options: Options, clock: Clock) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/profiles/by/{namespace}/{token:path}")
    async def by_identifier(namespace: str, token: str) -> Response:
        async with database.connection() as connection:
            found = await find_by(connection, namespace, token)
        return json(_view(found, options, clock))

    @router.get("/v1/profiles/{profile_id}")
    async def show(profile_id: ProfileId) -> Response:
        async with database.connection() as connection:
            found = await find(connection, profile_id)
        return json(_view(found, options, clock))

    @router.get("/v1/profiles/{profile_id}/timeline")
    async def timeline(
        profile_id: ProfileId, limit: Limit = 50, cursor: Cursor = None, type: str | None = None
    ) -> Response:
        before = None if cursor is None else decode_cursor(cursor, tuple[CursorInstant, CursorText])
        if type is not None and not known(type):
            raise Problem(422, "unknown_type", f"{type!r} is not an event type")
        async with database.connection() as connection:
            found = await find(connection, profile_id)
            snapshot = decode_snapshot(found.snapshot)
            ids = [found.profile_id, *snapshot.merged_from]
            rows = await reads.timeline(connection, ids, limit + 1, before, type)
        page = rows[:limit]
        following = encode_cursor(page[-1].at, page[-1].uid) if len(rows) > limit else None
        with_health = allowed(snapshot.facts.consents)
        return json(Page([timeline_item(row, with_health) for row in page], following))

    return router


async def find(connection: Connection, profile_id: str, pointer: str | None = None) -> StoredPerson:
    """The person of an id. Raises Problem: 404."""
    found = None if "\0" in profile_id else await reads.person(connection, profile_id)
    if found is None:
        problem = unknown_profile()
        if pointer is not None:
            problem.errors = (FieldError(pointer, problem.code, problem.message),)
        raise problem
    return found


async def find_by(connection: Connection, namespace: str, token: str) -> StoredPerson:
    """The person an identifier leads to. Raises Problem: 404; 400 for no namespace of ours."""
    if namespace not in NAMESPACES:
        raise Problem(400, "unknown_namespace", f"identifiers are {', '.join(NAMESPACES)}")
    found = None if "\0" in token else await reads.person_by(connection, namespace, token)
    if found is None:
        raise unknown_profile()
    return found


def _view(found: StoredPerson, options: Options, clock: Clock) -> dict[str, Any]:
    """Without segments, which the gateway adds."""
    return profile_view(
        decode_snapshot(found.snapshot),
        (),
        clock(),
        currency=options.currency,
        zone=options.zone,
    )
