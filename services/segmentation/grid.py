"""The RFM grid: how many people there are of each of the 125 combinations of scores."""

import asyncio
import time
from collections import Counter
from typing import Final

from services.segmentation import cut_points, reads
from services.segmentation.domain.glance import glance, look_of
from services.segmentation.everybody import everybody
from zhiyin.contracts.instants import Instant, rfc3339
from zhiyin.contracts.rfm import Cell, RfmGrid, Scheme
from zhiyin.facts import OrderHistory, RfmThresholds
from zhiyin.facts.rfm import rfm_at, rfm_class
from zhiyin.facts.tiers import value_tier
from zhiyin.runtime.db import Database

Scores = tuple[int, int, int]
# Everybody is looked at; who asks again within this time gets the same answer.
_FRESH_SECONDS: Final = 30.0
_LOOK: Final = look_of(["orders"])
_DOWN: Final = range(5, 0, -1)


class Grids:
    def __init__(self, database: Database, fixed: RfmThresholds) -> None:
        self._database = database
        self._fixed = fixed
        self._turn = asyncio.Lock()
        self._known: dict[Scheme, tuple[float, RfmGrid]] = {}

    async def grid(self, by: Scheme) -> RfmGrid:
        """By the fixed thresholds or the newest cut points, exact at `as_of`."""
        async with self._turn:
            known = self._known.get(by)
            if known is not None and time.monotonic() - known[0] < _FRESH_SECONDS:
                return known[1]
            grid = await self._count(by)
            self._known[by] = (time.monotonic(), grid)
            return grid

    async def _count(self, by: Scheme) -> RfmGrid:
        started = time.perf_counter()
        async with self._database.connection() as connection:
            now = await reads.now(connection)
            newest = await cut_points.newest(connection) if by == "quintiles" else None
        thresholds = self._fixed if newest is None else newest.thresholds
        counts: Counter[Scores] = Counter()
        async for page in everybody(self._database):
            for one in page:
                history = OrderHistory(glance(one.snapshot, _LOOK).facts)
                counts[rfm_at(history, now, thresholds)[:3]] += 1
        version = None if newest is None else newest.version
        return _grid(by, version, counts, now, (time.perf_counter() - started) * 1000)


def _grid(
    by: Scheme, version: int | None, counts: Counter[Scores], now: Instant, took: float
) -> RfmGrid:
    cells = [
        Cell(r, f, m, counts[r, f, m], rfm_class(r, f, m), value_tier(r, m))
        for r in _DOWN
        for f in _DOWN
        for m in _DOWN
    ]
    classes: Counter[str] = Counter()
    tiers: Counter[str] = Counter()
    for cell in cells:
        classes[cell.class_] += cell.count
        tiers[cell.tier] += cell.count
    return RfmGrid(
        by=by,
        version=version,
        cells=cells,
        classes=dict(classes),
        tiers=dict(tiers),
        without_orders=counts[0, 0, 0],
        population=counts.total(),
        took_ms=round(took, 1),
        as_of=rfc3339(now),
    )
