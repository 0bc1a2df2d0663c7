"""What is done after a commit and can be done again: hot copies, metrics."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import islice
from typing import Final, NamedTuple

import structlog

from zhiyin.runtime.batch import Outgoing
from zhiyin.runtime.db import Database
from zhiyin.runtime.faults import Fault
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.outbox import Letter, Row, read
from zhiyin.runtime.retrying import until_it_works

Recover = Callable[[Sequence[Outgoing]], Awaitable[None]]

_MOST_WAITING: Final = 32
_ROWS_AT_ONCE: Final = 16
_log = structlog.get_logger(__name__)


class _Due(NamedTuple):
    rows: Sequence[Row]
    after_commit: Callable[[], Awaitable[None]]


class Settler:
    """Runs `after_commit` of a lane's batches in order, again and again until it works.

    It never holds up the lane: when too many wait (Redis is away), the oldest are forgotten and
    later made up for from the outbox by `recover`, as after a crash. A batch without messages
    leaves nothing to recover from."""

    def __init__(
        self,
        db: Database,
        recover: Recover | None,
        fault: Fault,
        settled: Callable[[Sequence[Row]], None],
    ) -> None:
        self._db = db
        self._recover = recover
        self._fault = fault
        self._settled = settled
        self._due: deque[_Due] = deque()
        self._forgotten: deque[Row] = deque()
        self._more = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()

    def add(self, rows: Sequence[Row], after_commit: Callable[[], Awaitable[None]]) -> None:
        self._due.append(_Due(rows, after_commit))
        if len(self._due) > _MOST_WAITING:
            self._forgotten.extend(self._due.popleft().rows)
        self._wake()

    def add_recovery(self, letters: Sequence[Letter]) -> None:
        """Batches that somebody else committed and may not have settled."""
        if self._recover is None:
            self._settled([letter.row for letter in letters])
            return
        self._forgotten.extend(letter.row for letter in letters)
        self._wake()

    def forget(self, lost: Callable[[Row], bool]) -> None:
        """Rows that are no longer ours."""
        self._forgotten = deque(row for row in self._forgotten if not lost(row))

    async def run(self) -> None:
        while True:
            if self._due:
                due = self._due[0]
                await until_it_works("after_commit", partial(self._attempt, due))
            elif self._forgotten:
                await until_it_works("recover", self._recover_some)
            else:
                self._idle.set()
                self._more.clear()
                await self._more.wait()

    async def drained(self) -> None:
        await self._idle.wait()

    async def _attempt(self, due: _Due) -> None:
        if not self._due or self._due[0] is not due:  # forgotten meanwhile
            return
        await _unless_broken(due.after_commit())
        self._fault("after_settle")
        if self._due and self._due[0] is due:
            self._due.popleft()
            self._settled(due.rows)

    async def _recover_some(self) -> None:
        rows = list(islice(self._forgotten, _ROWS_AT_ONCE))
        async with self._db.connection() as connection:
            letters = await read(connection, rows)
        if self._recover is not None:
            outgoing = [item for letter in letters for item in letter.outgoing]
            await _unless_broken(self._recover(outgoing))
        recovered = set(rows)
        self._forgotten = deque(row for row in self._forgotten if row not in recovered)
        self._settled(rows)

    def _wake(self) -> None:
        self._idle.clear()
        self._more.set()


async def _unless_broken(settling: Awaitable[None]) -> None:
    """An outage is worth another attempt; any other error would only come back."""
    try:
        await settling
    except Exception as error:
        if is_outage(error):
            raise
        _log.exception("not settled after commit")
