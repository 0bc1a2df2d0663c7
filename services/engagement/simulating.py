"""Has trials run in a process of their own, below all others in priority: what is live shares no
event loop with them."""

import asyncio
import contextlib
import sys
from asyncio.subprocess import Process
from typing import Final

import structlog

from services.engagement.store import simulations
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import OUTAGES

_EVERY: Final = 1.0
_log = structlog.get_logger(__name__)


class Simulating:
    def __init__(self, db: Database) -> None:
        self._db = db
        self._process: Process | None = None

    async def run(self) -> None:
        """Until cancelled: sees to it that trials nobody works on are worked on."""
        try:
            while True:
                await asyncio.sleep(_EVERY)
                if self._process is None or self._process.returncode is not None:
                    await self._look()
        finally:
            await self._stop()

    async def _look(self) -> None:
        try:
            async with self._db.connection() as connection:
                wanted = await simulations.unattended(connection)
        except OUTAGES as error:
            _log.warning("trials cannot be looked for", error=str(error))
            return
        if wanted:
            command = (sys.executable, "-m", "services.engagement.main", "simulate")
            self._process = await asyncio.create_subprocess_exec(*command)

    async def _stop(self) -> None:
        process = self._process
        if process is not None and process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            await process.wait()
