"""Folding everybody anew from the event log, page by page, after a reducer has changed."""

from collections.abc import Sequence
from typing import Final

from services.profile import graph, store
from services.profile.arrivals import from_log
from services.profile.catalogue import Catalogue
from services.profile.domain.change import Change, State, World, by_history
from services.profile.domain.policy import Policy
from services.profile.domain.reading import Reader
from services.profile.saving import Saving
from zhiyin.contracts.instants import SECOND, Duration, Instant
from zhiyin.contracts.profiles import encode
from zhiyin.runtime.batch import Connection, Outcome, Timer
from zhiyin.runtime.timers import set_timers

REBUILD: Final = "rebuild"
# Histories are read whole, so pages are short and live events hardly wait.
_PAGE: Final = 40
_PAUSE: Final[Duration] = SECOND // 100


def rebuild_timer(now: Instant, after: str = "") -> Timer:
    """Starts, or goes on behind the person `after`."""
    return Timer(REBUILD, 0, now, "", REBUILD, after.encode())


class Rebuild:
    def __init__(
        self, reader: Reader, catalogue: Catalogue, saving: Saving, policy: Policy
    ) -> None:
        self._reader = reader
        self._catalogue = catalogue
        self._saving = saving
        self._policy = policy

    async def walk(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        """One page. Who comes out as they were is not told of."""
        world = World(await self._catalogue.current(tx), self._policy, now)
        rows = await store.page_of_people(tx, due[0].payload.decode(), _PAGE)
        locked = await graph.lock(tx, [profile_id for profile_id, _ in rows])
        changes: list[Change] = []
        for one in locked.values():
            ids = [one.profile_id, *one.snapshot.merged_from]
            history = from_log(self._reader, await store.history(tx, ids))
            change = by_history(State(one.snapshot, one.tagging), history, (), world)
            if encode(change.after.snapshot.facts) != encode(one.snapshot.facts):
                changes.append(change)
        if len(rows) == _PAGE:
            await set_timers(tx, [rebuild_timer(now + _PAUSE, rows[-1][0])])
        await self._saving.timers(tx, changes)
        return await self._saving.by_time(tx, changes)
