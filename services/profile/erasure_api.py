"""Erasure over HTTP, for the gateway, which sees it through in all services."""

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Request
from msgspec import Meta, Struct
from starlette.responses import Response

from services.profile import tombstones
from services.profile.commands import Commands
from services.profile.erasing import Remains
from services.profile.hot_copies import HotCopies
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem
from zhiyin.runtime.web import body, json

_FIND = "SELECT counts::text, refused, remains, ended_at FROM erasure WHERE erasure_id = $1"


class EraseCommand(Struct, frozen=True, forbid_unknown_fields=True):
    erasure_id: Annotated[str, Meta(min_length=1, max_length=64)]
    profile_id: Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[^\x00]*$")]
    actor: str


class Done(Struct, frozen=True):
    """`told`: profile ids the other services have heard of; `tokens`: personal identifiers that
    nobody else uses; `refused`: events that came too late; `until`: when that ended, in µs."""

    counts: dict[str, int]
    refused: int
    told: tuple[str, ...]
    tokens: tuple[tuple[str, str], ...]
    shared: int
    profile_ids: tuple[str, ...]
    until: Instant | None


def erasure_routes(
    database: Database, commands: Commands, hot: HotCopies, clock: Clock
) -> APIRouter:
    router = APIRouter()

    @router.post("/internal/erasures")
    async def begin(request: Request) -> Response:
        """Any number of times: it happens once."""
        wanted = body(EraseCommand, await request.body())
        properties = {"erasure_id": wanted.erasure_id, "actor": wanted.actor}
        receipt = await commands.give(
            wanted.profile_id,
            "customer.erased",
            properties,
            traceparent=request.scope.get("traceparent"),
            event_id=f"~erasure:{wanted.erasure_id}",
        )
        return json(receipt, 202)

    @router.get("/internal/erasures/{erasure_id}")
    async def show(erasure_id: str) -> Response:
        async with database.connection() as connection:
            row = await _find(connection, erasure_id)
        return json(_done(row))

    @router.post("/internal/erasures/{erasure_id}/end")
    async def end(erasure_id: str) -> Response:
        """The other services are done: who comes from now on is somebody new."""
        async with database.connection() as connection:
            row = await _find(connection, erasure_id)
        remains = _remains(row)
        if not await hot.erase(erasure_id, remains.profile_ids, remains.identifiers):
            raise Problem(503, "unavailable", "Redis or PostgreSQL is away", retry_after=1)
        async with database.transaction() as tx:
            await tombstones.end(tx, erasure_id, clock())
            await tx.execute(
                """
                UPDATE erasure SET remains = NULL, ended_at = coalesce(ended_at, $2)
                WHERE erasure_id = $1
                """,
                erasure_id,
                clock(),
            )
            row = await _find(tx, erasure_id)
        return json(_done(row))

    return router


async def _find(connection: Connection, erasure_id: str) -> Any:
    row = None if "\0" in erasure_id else await connection.fetchrow(_FIND, erasure_id)
    if row is None:
        raise Problem(404, "unknown_erasure", "there is no such erasure, or not yet")
    return row


def _remains(row: Any) -> Remains:
    packed = row["remains"]
    return Remains() if packed is None else msgspec.msgpack.decode(packed, type=Remains)


def _done(row: Any) -> Done:
    remains = _remains(row)
    counts = msgspec.json.decode(row["counts"], type=dict[str, int])
    return Done(
        counts,
        row["refused"],
        remains.told,
        remains.tokens,
        remains.shared,
        remains.profile_ids,
        row["ended_at"],
    )
