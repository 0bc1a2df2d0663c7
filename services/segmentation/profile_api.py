"""What one person belongs to, for the gateway."""

import uuid
from typing import Literal

import msgspec
from fastapi import APIRouter
from msgspec import Struct
from starlette.responses import Response

from services.segmentation import reads
from services.segmentation.api import ProfileId
from services.segmentation.domain.person import PersonCopy
from services.segmentation.explain import no_profile
from services.segmentation.hot_copies import HotCopies, HotCopy, copy_of
from services.segmentation.moves import PersonMove, moves_of
from zhiyin.contracts.instants import rfc3339
from zhiyin.contracts.segments import SegmentOfProfile
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import Cursor, Limit, Page, decode_cursor, encode_cursor, json


def profile_routes(database: Database, hot: HotCopies) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/profiles/{profile_id}/segments")
    async def segments(profile_id: ProfileId) -> Response:
        async with database.connection() as connection:
            people = await reads.people(connection, [profile_id])
            rows = await reads.segments(connection)
        if not people or people[0].gone:
            raise no_profile(profile_id)
        names = {row.key: row.name for row in rows}
        return json(Page(_belongings(people[0], names)))

    @router.get("/internal/segments/{profile_id}")
    async def refill(profile_id: ProfileId) -> Response:
        """The hot copy, written again, and the profile version it was decided on. Somebody not
        seen yet belongs nowhere yet."""
        async with database.connection() as connection:
            people = await reads.people(connection, [profile_id])
        await hot.write(people)
        copy = copy_of(people[0]) if people else HotCopy(0, [])
        seen = people[0].version if people else 0
        return json({**msgspec.to_builtins(copy), "profile_version": seen})

    @router.get("/internal/memberships/{profile_id}")
    async def history(profile_id: ProfileId, limit: Limit = 500, cursor: Cursor = None) -> Response:
        """Each entering and leaving, for the person's export."""
        after = decode_cursor(cursor, tuple[uuid.UUID])[0] if cursor else None
        async with database.connection() as connection:
            found = await moves_of(connection, profile_id, after, limit + 1)
        page = found[:limit]
        more = encode_cursor(page[-1].id) if len(found) > limit else None
        return json(Page([_move(one) for one in page], more))

    return router


class MoveOfProfile(Struct, frozen=True):
    segment: str
    change: Literal["entered", "left"]
    at: str
    decided_at: str
    cause: str
    rule_version: int


def _move(one: PersonMove) -> MoveOfProfile:
    return MoveOfProfile(
        one.segment,
        "entered" if one.entered else "left",
        rfc3339(one.at),
        rfc3339(one.decided_at),
        one.cause,
        one.rule_version,
    )


def _belongings(person: PersonCopy, names: dict[str, str]) -> list[SegmentOfProfile]:
    return [
        SegmentOfProfile(key, names[key], rfc3339(standing.since), standing.version)
        for key, standing in sorted(person.state.standings.items())
        if standing.since is not None and key in names
    ]
