"""The HTTP side of RFM over the population: cut points, grid, scenario labels."""

from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from services.segmentation import cut_points
from services.segmentation.cut_points import Version
from services.segmentation.grid import Grids
from services.segmentation.quintiles import Quintiles
from services.segmentation.scenarios import labels
from zhiyin.contracts.instants import DAY, HOUR, Duration, duration, rfc3339
from zhiyin.contracts.money import from_minor
from zhiyin.contracts.rfm import Cuts, CutVersion, RfmUpdate, RfmView, ScenarioSpec, Scheme
from zhiyin.facts import RfmThresholds
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import FieldError, Problem
from zhiyin.runtime.web import (
    Cursor,
    CursorNumber,
    Limit,
    Page,
    body,
    decode_cursor,
    encode_cursor,
    json,
)

_SHORTEST: Final = HOUR
_LONGEST: Final = 90 * DAY
_By = Annotated[Scheme, Query()]


def rfm_routes(
    database: Database, grids: Grids, quintiles: Quintiles, options: Options
) -> APIRouter:
    router = APIRouter()

    @router.get("/v1/rfm")
    async def show() -> Response:
        async with database.connection() as connection:
            return json(await _view(connection, options))

    @router.put("/v1/rfm")
    async def update(request: Request) -> Response:
        every = _every(body(RfmUpdate, await request.body()).every)
        async with database.transaction() as tx:
            await cut_points.set_every(tx, every)
            return json(await _view(tx, options))

    @router.post("/v1/rfm/refresh")
    async def refresh() -> Response:
        if not await quintiles.refresh(now_due=True):
            raise Problem(409, "refreshing", "the population is being looked at already")
        async with database.connection() as connection:
            return json(await _view(connection, options))

    @router.get("/v1/rfm/versions")
    async def versions(limit: Limit = 100, cursor: Cursor = None) -> Response:
        before = decode_cursor(cursor, tuple[CursorNumber])[0] if cursor else None
        async with database.connection() as connection:
            found = await cut_points.versions(connection, before, limit + 1)
        more = encode_cursor(found[limit - 1].version) if len(found) > limit else None
        return json(Page([_version(one, options) for one in found[:limit]], more))

    @router.get("/v1/rfm/grid")
    async def grid(by: _By = "fixed") -> Response:
        return json(await grids.grid(by))

    @router.post("/v1/rfm/scenarios")
    async def scenarios(request: Request) -> Response:
        spec = body(ScenarioSpec, await request.body())
        return json(await labels(database, spec.segments))

    return router


async def _view(connection: Connection, options: Options) -> RfmView:
    schedule = await cut_points.schedule(connection)
    newest = await cut_points.newest(connection)
    return RfmView(
        fixed=_cuts(options.rfm, options.currency),
        quintiles=None if newest is None else _version(newest, options),
        every=_told(schedule.every),
        refreshed=None if schedule.refreshed_at is None else rfc3339(schedule.refreshed_at),
        next_refresh=rfc3339(schedule.due_at),
    )


def _version(one: Version, options: Options) -> CutVersion:
    cuts = _cuts(one.thresholds, options.currency)
    return CutVersion(one.version, rfc3339(one.at), one.buyers, cuts)


def _cuts(thresholds: RfmThresholds, currency: str) -> Cuts:
    return Cuts(
        recency_days=[(round(age / DAY, 4), score) for age, score in thresholds.recency],
        frequency=list(thresholds.frequency),
        monetary=[(from_minor(least, currency), score) for least, score in thresholds.monetary],
        window_days=thresholds.window / DAY,
    )


def _every(text: str) -> Duration:
    """Raises Problem (422)."""
    try:
        every = duration(text)
    except ValueError as error:
        raise _wrong(str(error)) from error
    if not _SHORTEST <= every <= _LONGEST:
        raise _wrong("from one hour (1h) to ninety days (90d)")
    return every


def _wrong(message: str) -> Problem:
    errors = [FieldError("/every", "invalid_duration", message)]
    return Problem(422, "invalid_duration", message, errors=errors)


def _told(every: Duration) -> str:
    return f"{every // DAY}d" if every % DAY == 0 else f"{every // HOUR}h"
