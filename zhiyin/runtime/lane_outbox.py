"""A lane's outbox, from commit to deletion."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from typing import Any, NamedTuple

from zhiyin.runtime import outbox
from zhiyin.runtime.batch import Connection, Outgoing
from zhiyin.runtime.db import Database
from zhiyin.runtime.faults import Fault
from zhiyin.runtime.ledger import Ledger
from zhiyin.runtime.log import EventLog
from zhiyin.runtime.metrics import Metrics
from zhiyin.runtime.outbox import Letter, Row
from zhiyin.runtime.publisher import Publisher
from zhiyin.runtime.settler import Recover, Settler


class Written(NamedTuple):
    """What a transaction did to the outbox, for when it has committed. `swept`: it has seen all
    that others left."""

    letters: Sequence[Letter]
    deleted: Sequence[Row]
    swept: bool = False


class LaneOutbox:
    """What the lane's transactions add is published in order, settled, and deleted by a later
    transaction."""

    def __init__(
        self,
        log: EventLog,
        db: Database,
        metrics: Metrics,
        fault: Fault,
        recover: Recover | None,
    ) -> None:
        self._db = db
        self._ledger = Ledger()
        self._publisher = Publisher(log, metrics, fault, self._ledger.published)
        self._settler = Settler(db, recover, fault, self._ledger.settled)

    def tasks(self) -> list[Callable[[], Coroutine[Any, Any, None]]]:
        """What has to run beside the lane."""
        return [self._publisher.run, self._settler.run]

    @property
    def pending(self) -> int:
        """Rows committed and not published yet."""
        return self._publisher.waiting

    async def write(
        self, tx: Connection, outgoing: Sequence[Outgoing], numbers: Collection[int]
    ) -> Written:
        """Inside a transaction: add rows, delete finished ones, and find those of `numbers` that
        others left."""
        done = self._ledger.done()
        if not outgoing and not done:
            return Written((), ())
        letters = await outbox.write(tx, outgoing, done, numbers, self._ledger.known())
        return Written(letters, done, sum(each.foreign for each in letters) < outbox.MOST_ROWS)

    async def committed(
        self, written: Written, after_commit: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Go on to publish and settle. Waits only when far too much is unpublished."""
        self._ledger.deleted(written.deleted)
        self._ledger.add(letter.row for letter in written.letters)
        self._settler.add_recovery([letter for letter in written.letters if letter.foreign])
        if after_commit is not None:
            own = [letter.row for letter in written.letters if not letter.foreign]
            self._settler.add(own, after_commit)
        await self._publisher.add(written.letters)

    async def sweep(self, numbers: Collection[int]) -> int:
        """Delete what is finished and take up what others left; how many rows were taken up."""
        done = self._ledger.done()
        async with self._db.connection() as connection:  # one statement, hence one transaction
            letters = await outbox.write(connection, (), done, numbers, self._ledger.known())
        await self.committed(Written(letters, done))
        return len(letters)

    async def drain(self, seconds: float) -> None:
        """Wait, not for ever, until all is published and settled, and delete it."""
        try:
            async with asyncio.timeout(seconds):
                await self._publisher.drained()
                await self._settler.drained()
                await self.sweep(())
        except TimeoutError:
            return

    def forget(self, numbers: Collection[int]) -> None:
        """Leave the rows of these partition numbers to their new owner."""

        def lost(row: Row) -> bool:
            return row.partition in numbers

        self._publisher.forget(lost)
        self._settler.forget(lost)
        self._ledger.forget(lost)
