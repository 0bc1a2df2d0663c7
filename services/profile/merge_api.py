"""Merging and parting people over HTTP, and looking at what that would do."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from services.profile import former, graph
from services.profile.api import ProfileId, find
from services.profile.command_api import NOBODY, Actor
from services.profile.commands import Commands
from services.profile.domain.linking import name_of
from services.profile.domain.parting import former_identifiers
from services.profile.preview import Previewer
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.web import body, json


class Merge(Struct, frozen=True, forbid_unknown_fields=True):
    keep: str
    absorb: str


class Unmerge(Struct, frozen=True, forbid_unknown_fields=True):
    """`identifiers`: `namespace:value`, personal ones as tokens; or `former`: the profile id of
    somebody merged into this person, with all that was theirs."""

    identifiers: Annotated[list[str], Meta(max_length=100)] = []
    former: str | None = None


class Merges:
    """Checks what is asked before it becomes an event."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def merge(self, raw: bytes) -> tuple[str, str]:
        """(whom to keep, whom to absorb). Raises Problem: 404, 422."""
        wanted = body(Merge, raw)
        async with self._database.connection() as connection:
            keep = await find(connection, wanted.keep, "/keep")
            absorb = await find(connection, wanted.absorb, "/absorb")
        if keep.profile_id == absorb.profile_id:
            raise Problem(422, "same_profile", "keep and absorb are the same person already")
        return keep.profile_id, absorb.profile_id

    async def unmerge(self, profile_id: str, raw: bytes) -> tuple[str, list[str]]:
        """(the person, identifiers that are to leave). Raises Problem: 404, 422."""
        wanted = body(Unmerge, raw)
        if bool(wanted.identifiers) == (wanted.former is not None):
            raise Problem(422, "what_leaves", "name identifiers, or a former profile id")
        async with self._database.connection() as connection:
            found = await find(connection, profile_id)
            owned = await graph.identifiers(connection, found.profile_id)
            formers = await former.formers(connection, found.profile_id)
        named = wanted.identifiers
        if wanted.former is not None:
            named = [name_of(one) for one in former_identifiers(owned, wanted.former, formers)]
            if wanted.former not in {one.profile_id for one in formers} or not named:
                raise _refused("/former", "unknown_former", "nobody of that id is part of them")
        _check_parting(named, set(map(name_of, owned)))
        return found.profile_id, sorted(set(named))


def merge_routes(database: Database, commands: Commands, preview: Previewer) -> APIRouter:
    router = APIRouter()
    merges = Merges(database)

    async def give(
        request: Request, profile_id: str, event_type: str, properties: Mapping[str, object]
    ) -> Response:
        traceparent = request.scope.get("traceparent")
        receipt = await commands.give(profile_id, event_type, properties, traceparent=traceparent)
        return json(receipt, 202)

    @router.post("/v1/profiles/merge")
    async def merge(request: Request, actor: Actor = NOBODY) -> Response:
        keep, absorb = await merges.merge(await request.body())
        properties = {"keep": keep, "absorb": absorb, "actor": actor}
        return await give(request, keep, "customer.linked", properties)

    @router.post("/v1/profiles/merge/preview")
    async def preview_merge(request: Request) -> Response:
        return json(await preview.merge(*await merges.merge(await request.body())))

    @router.post("/v1/profiles/{profile_id}/unmerge")
    async def unmerge(request: Request, profile_id: ProfileId, actor: Actor = NOBODY) -> Response:
        found, named = await merges.unmerge(profile_id, await request.body())
        return await give(
            request, found, "customer.unlinked", {"identifiers": named, "actor": actor}
        )

    @router.post("/v1/profiles/{profile_id}/unmerge/preview")
    async def preview_unmerge(request: Request, profile_id: ProfileId) -> Response:
        return json(await preview.unmerge(*await merges.unmerge(profile_id, await request.body())))

    return router


def _check_parting(named: list[str], owned: set[str]) -> None:
    errors = [
        FieldError(f"/identifiers/{index}", "unknown_identifier", "it does not lead to this person")
        for index, each in enumerate(named)
        if each not in owned
    ]
    if errors:
        raise Problem(422, "unknown_identifier", errors[0].message, errors=errors)
    if owned <= set(named):
        raise Problem(422, "nobody_left", "at least one identifier must stay with the person")


def _refused(pointer: str, code: str, message: str) -> Problem:
    return Problem(422, code, message, errors=[FieldError(pointer, code, message)])
