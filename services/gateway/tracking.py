"""Keeps the tracking plan: counts every event at the door, writes the counts down in between."""

import asyncio
from typing import Final

import structlog

from services.gateway.domain.tracking import Tallies
from services.gateway.stores.tracking import TrackingStore
from zhiyin.runtime.outages import is_outage

_log = structlog.get_logger(__name__)
_EVERY_SECONDS: Final = 1.0


class Tracking:
    """What is not written down yet is lost with the process: it is a report, and no ledger."""

    def __init__(self, store: TrackingStore) -> None:
        self._store = store
        self.tallies = Tallies()

    async def run(self) -> None:
        """Until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(_EVERY_SECONDS)
                await self.write_down()
        finally:
            await self.write_down()

    async def write_down(self) -> None:
        """An outage only delays."""
        taken = self.tallies.take()
        try:
            await self._store.add(taken)
        except Exception as error:
            self.tallies.give_back(taken)
            if not is_outage(error):
                raise
            _log.warning("the tracking plan waits", error=repr(error))
