"""Taking RFM cut points from the population, on a schedule and when asked."""

import asyncio
from typing import Final

import structlog

from services.segmentation import cut_points, reads
from services.segmentation.domain.glance import glance, look_of
from services.segmentation.editor import Editor
from services.segmentation.everybody import everybody
from zhiyin.contracts.money import exponent
from zhiyin.facts import OrderHistory
from zhiyin.facts.quintiles import Population
from zhiyin.rules.paths import QUINTILES
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import is_outage

# Fifths of fewer say nothing about anybody.
LEAST_BUYERS: Final = 25
_ROUND_SECONDS: Final = 60.0
_LOOK: Final = look_of([QUINTILES])
_log = structlog.get_logger(__name__)


class Quintiles:
    """However many processes there are, one of them takes the cut points at a time."""

    def __init__(self, database: Database, editor: Editor, currency: str) -> None:
        self._database = database
        self._editor = editor
        self._step = int(10 ** exponent(currency))

    async def run(self) -> None:
        """Until cancelled: whenever it is due. Never raises for PostgreSQL being away."""
        while True:
            try:
                await self.refresh(now_due=False)
            except Exception as error:
                if not is_outage(error):
                    raise
                _log.warning("cut points not taken", error=repr(error))
            await asyncio.sleep(_ROUND_SECONDS)

    async def refresh(self, *, now_due: bool) -> bool:
        """Whether the population was looked at; not, if it is not due or somebody is at it."""
        async with self._database.transaction() as tx:
            if not await cut_points.take(tx, now_due=now_due):
                return False
        try:
            population = await self._population()
            await self._keep(population)
        except BaseException:
            async with self._database.transaction() as tx:
                await cut_points.give_up(tx)
            raise
        return True

    async def _population(self) -> Population:
        found = Population(self._step)
        async with self._database.connection() as connection:
            now = await reads.now(connection)
        async for page in everybody(self._database):
            for one in page:
                found.add(OrderHistory(glance(one.snapshot, _LOOK).facts), now)
        return found

    async def _keep(self, population: Population) -> None:
        thresholds = population.quintiles()
        async with self._database.transaction() as tx:
            newest = await cut_points.newest(tx)
            same = newest is not None and newest.thresholds == thresholds
            enough = population.buyers >= LEAST_BUYERS
            if enough and not same:
                await self._editor.renew(
                    tx, QUINTILES, lambda: cut_points.add(tx, population.buyers, thresholds)
                )
            await cut_points.done(tx, enough=enough)
