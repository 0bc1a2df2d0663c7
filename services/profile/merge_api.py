"""Merging and parting people over HTTP."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from services.profile import reads
from services.profile.api import ProfileId, find
from services.profile.command_api import NOBODY, Actor
from services.profile.commands import Commands
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.web import body, json


class Merge(Struct, frozen=True, forbid_unknown_fields=True):
    keep: str
    absorb: str


class Unmerge(Struct, frozen=True, forbid_unknown_fields=True):
    """`identifiers`: `namespace:value`, personal ones as tokens."""

    identifiers: Annotated[list[str], Meta(min_length=1, max_length=100)]


def merge_routes(database: Database, commands: Commands) -> APIRouter:
    router = APIRouter()

    async def give(
        request: Request, profile_id: str, event_type: str, properties: Mapping[str, object]
    ) -> Response:
        traceparent = request.scope.get("traceparent")
        receipt = await commands.give(profile_id, event_type, properties, traceparent=traceparent)
        return json(receipt, 202)

    @router.post("/v1/profiles/merge")
    async def merge(request: Request, actor: Actor = NOBODY) -> Response:
        wanted = body(Merge, await request.body())
        async with database.connection() as connection:
            keep = await find(connection, wanted.keep, "/keep")
            absorb = await find(connection, wanted.absorb, "/absorb")
        if keep.profile_id == absorb.profile_id:
            raise Problem(422, "same_profile", "keep and absorb are the same person already")
        properties = {"keep": keep.profile_id, "absorb": absorb.profile_id, "actor": actor}
        return await give(request, keep.profile_id, "customer.linked", properties)

    @router.post("/v1/profiles/{profile_id}/unmerge")
    async def unmerge(request: Request, profile_id: ProfileId, actor: Actor = NOBODY) -> Response:
        wanted = body(Unmerge, await request.body())
        async with database.connection() as connection:
            found = await find(connection, profile_id)
            owned = (await reads.identifiers(connection, [found.profile_id])).get(
                found.profile_id, []
            )
        named = set(wanted.identifiers)
        _check_parting(wanted.identifiers, {f"{name}:{token}" for name, token in owned})
        properties = {"identifiers": sorted(named), "actor": actor}
        return await give(request, found.profile_id, "customer.unlinked", properties)

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
