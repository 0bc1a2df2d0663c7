"""Works through trials page by page: little memory, progress on record, and pauses as long as its
work, so that live people do not wait for imagined ones."""

import asyncio
import time
from typing import Final

from services.engagement.catalogs import Catalogs
from services.engagement.domain.acts import ANYTHING
from services.engagement.domain.build import build_campaign
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.simulation.budgets import Budgets
from services.engagement.domain.simulation.counting import add
from services.engagement.domain.simulation.memberships import Unreplayable
from services.engagement.domain.simulation.relived import Relived
from services.engagement.domain.simulation.scenario import Scenario, of_campaign, of_segment
from services.engagement.domain.simulation.tally import Tally
from services.engagement.history import History, HistoryUnavailable
from services.engagement.store import simulations
from services.engagement.store.simulations import Simulation
from zhiyin.rules import Options
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

# Begun so often without getting on, it is given up.
_MOST_TRIES: Final = 5
_LONGEST_PAUSE: Final = 2.0


class Simulator:
    def __init__(
        self, db: Database, catalogs: Catalogs, options: Options, history: History, clock: Clock
    ) -> None:
        self._db = db
        self._catalogs = catalogs
        self._options = options
        self._history = history
        self._clock = clock

    async def run_next(self) -> bool:
        """Work on one; False if there was none."""
        async with self._db.transaction() as tx:
            found = await simulations.claim(tx)
        if found is None:
            return False
        if found.tries > _MOST_TRIES:
            await self._finish(found, "failed", "given up: see the log of engagement")
            return True
        try:
            await self._work(found)
        except Unreplayable as error:
            await self._finish(found, "failed", str(error))
        except HistoryUnavailable as error:
            # Its lease runs out, and somebody tries again from where it got.
            if found.tries == _MOST_TRIES:
                await self._finish(found, "failed", str(error))
        return True

    async def _work(self, found: Simulation) -> None:
        scenario = await self._scenario(found)
        budgets = found.budgets or Budgets(_limits(scenario.catalog))
        tally, after, run = found.tally or Tally(), found.after, found.run
        while True:
            done = await self._one_run(found, scenario, run, after, tally, budgets)
            if not done:
                return  # cancelled
            following = budgets.next_run()
            if following is None:
                await self._finish(found, "done")
                return
            budgets, tally, after, run = following, Tally(), "", run + 1

    async def _one_run(
        self,
        found: Simulation,
        scenario: Scenario,
        run: int,
        after: str,
        tally: Tally,
        budgets: Budgets,
    ) -> bool:
        place: str | None = after
        while place is not None:
            page = await self._history.page(scenario.since, scenario.until, place)
            started = time.perf_counter()
            for life in page.lives:
                relived = Relived(scenario, life, budgets)
                relived.run()
                add(tally, relived)
                await asyncio.sleep(0)
            place = page.next
            async with self._db.transaction() as tx:
                standing = await simulations.progress(
                    tx, found.id, page.people, run, place or "", tally, budgets
                )
            if not standing:
                return False
            await asyncio.sleep(min(time.perf_counter() - started, _LONGEST_PAUSE))
        return True

    async def _scenario(self, found: Simulation) -> Scenario:
        asked = found.asked
        async with self._db.connection() as connection:
            current = await self._catalogs.current(connection)
        segments = await self._history.segments()
        if asked.campaign is None:
            return of_segment(
                current, asked.rule, segments, asked.since, asked.until, self._options
            )
        tried = build_campaign(
            asked.campaign, ANYTHING, self._options, version=asked.version, state="live"
        )
        return of_campaign(
            current,
            tried,
            segments,
            asked.since,
            asked.until,
            self._options,
            alongside=asked.alongside,
        )

    async def _finish(self, found: Simulation, state: str, error: str | None = None) -> None:
        async with self._db.transaction() as tx:
            await simulations.finish(tx, found.id, state, self._clock(), error)


def _limits(current: Catalog) -> dict[str, int]:
    templates = current.coupon_templates.values()
    return {each.key: each.budget for each in templates if each.budget is not None}
