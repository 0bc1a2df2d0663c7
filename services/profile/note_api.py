"""What staff write down of a person, over HTTP: each note is recorded as an event."""

import msgspec
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.profile.api import ProfileId
from services.profile.command_api import NOBODY, Actor, giving
from services.profile.commands import Commands
from zhiyin.contracts.notes import NoteId, NoteSpec
from zhiyin.runtime.db import Database
from zhiyin.runtime.web import body, convert


def note_routes(database: Database, commands: Commands) -> APIRouter:
    router = APIRouter()
    give = giving(database, commands)

    @router.put("/v1/profiles/{profile_id}/notes/{note_id}")
    async def note(
        request: Request, profile_id: ProfileId, note_id: str, actor: Actor = NOBODY
    ) -> Response:
        spec = body(NoteSpec, await request.body())
        properties = {"note_id": _id(note_id), **msgspec.structs.asdict(spec), "author": actor}
        return await give(request, profile_id, "customer.noted", properties)

    @router.delete("/v1/profiles/{profile_id}/notes/{note_id}")
    async def unnote(
        request: Request, profile_id: ProfileId, note_id: str, actor: Actor = NOBODY
    ) -> Response:
        properties = {"note_id": _id(note_id), "author": actor}
        return await give(request, profile_id, "customer.unnoted", properties)

    return router


def _id(note_id: str) -> str:
    return convert(NoteId, note_id, code="invalid_note_id")
