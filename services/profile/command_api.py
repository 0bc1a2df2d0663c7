"""Commands about one person over HTTP: tags by hand and attributes."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header, Request
from starlette.responses import Response

from services.profile.api import ProfileId, find
from services.profile.commands import Commands
from services.profile.views import attributes_in
from zhiyin.contracts.instants import instant
from zhiyin.contracts.properties.customer import CustomerUpdated
from zhiyin.contracts.tag_rules import ManualTag, TagName
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.web import body, convert, json

Actor = Annotated[str, Header(alias="x-zhiyin-actor", max_length=128)]
NOBODY: Final = "unknown"


Give = Callable[[Request, str, str, dict[str, Any]], Awaitable[Response]]


def giving(database: Database, commands: Commands) -> Give:
    """How a command is given: to the person as they are known now."""

    async def give(
        request: Request, profile_id: str, event_type: str, properties: dict[str, Any]
    ) -> Response:
        async with database.connection() as connection:
            found = await find(connection, profile_id)
        receipt = await commands.give(
            found.profile_id, event_type, properties, traceparent=request.scope.get("traceparent")
        )
        return json(receipt, 202)

    return give


def command_routes(database: Database, commands: Commands, clock: Clock) -> APIRouter:
    router = APIRouter()

    give = giving(database, commands)

    @router.put("/v1/profiles/{profile_id}/tags/{tag}")
    async def tag(
        request: Request, profile_id: ProfileId, tag: str, actor: Actor = NOBODY
    ) -> Response:
        raw = await request.body()
        manual = body(ManualTag, raw) if raw else ManualTag()
        until = _in_future(manual.until, clock)
        properties = {"tag": _tag(tag), "until": until, "actor": actor}
        return await give(request, profile_id, "customer.tagged", properties)

    @router.delete("/v1/profiles/{profile_id}/tags/{tag}")
    async def untag(
        request: Request, profile_id: ProfileId, tag: str, actor: Actor = NOBODY
    ) -> Response:
        properties = {"tag": _tag(tag), "actor": actor}
        return await give(request, profile_id, "customer.untagged", properties)

    @router.patch("/v1/profiles/{profile_id}/attributes")
    async def attributes(request: Request, profile_id: ProfileId) -> Response:
        stated = attributes_in(body(dict[str, Any], await request.body()))
        if not stated:
            raise Problem(422, "no_attributes", "name at least one attribute")
        convert(CustomerUpdated, {"attributes": stated})
        return await give(request, profile_id, "customer.updated", {"attributes": stated})

    return router


def _tag(tag: str) -> str:
    return convert(TagName, tag, code="invalid_tag")


def _in_future(until: datetime | None, clock: Clock) -> datetime | None:
    if until is None:
        return None
    if until.tzinfo is None:
        raise _until("until needs an offset, such as 2026-11-11T00:00:03+08:00")
    if instant(until) <= clock():
        raise _until("until is not in the future")
    return until


def _until(message: str) -> Problem:
    return Problem(422, "invalid_until", message, errors=[FieldError("/until", "invalid", message)])
