"""What happens when an instant comes: a wait is over, a supply runs out, something has waited for
its person long enough."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

import msgspec

from services.engagement.dating import redate
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.dates import DateStart, DateWatch
from services.engagement.domain.reorder import Watch
from services.engagement.domain.respond import Due, Starts
from services.engagement.keeping import Newest
from services.engagement.parking import Stimuli, lose_patience
from services.engagement.pipeline import Pipeline
from services.engagement.store import days, pending, people, runs
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection, Outcome, Timer

_day: Final = msgspec.msgpack.Decoder(DateWatch).decode
_watch: Final = msgspec.msgpack.Decoder(Watch).decode


class Timing:
    """The handlers of timers. People are locked first, and what a timer speaks of is looked up
    again under the lock: it may be over."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def runs(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        run_ids = [uuid.UUID(bytes=timer.payload) for timer in due]
        owners = await runs.owners(tx, run_ids)
        stimuli: Stimuli = defaultdict(list)
        for run_id in run_ids:
            if run_id in owners:
                stimuli[owners[run_id]].append(Due(run_id))
        return await self._decide(tx, stimuli, now)

    async def reorders(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        ids = {timer.profile_id for timer in due}
        rows = await people.lock(tx, ids, self._pipeline.partitions)
        catalog = await self._pipeline.catalogs.current(tx)
        standing = {watch.identity for watch in await pending.watches(tx, ids)}
        fired = [_watch(timer.payload) for timer in due]
        over = [watch for watch in fired if watch.identity in standing]
        stimuli: Stimuli = defaultdict(list)
        for watch in over:
            campaign = catalog.campaigns.get(watch.campaign)
            if campaign is not None and campaign in catalog.asked("reorder.due"):
                stimuli[people.final(rows, watch.profile_id)].append(
                    Starts(campaign, watch.occurrence)
                )
        return await self._decided(tx, rows, stimuli, catalog, now)

    async def dates(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        ids = {timer.profile_id for timer in due}
        rows = await people.lock(tx, ids, self._pipeline.partitions)
        catalog = await self._pipeline.catalogs.current(tx)
        standing = set(await days.watches(tx, ids))
        over = [watch for timer in due if (watch := _day(timer.payload)) in standing]
        await days.drop(tx, over)
        stimuli: Stimuli = defaultdict(list)
        for watch in over:
            campaign = catalog.campaigns.get(watch.campaign)
            if campaign is None or not catalog.asks(campaign):
                continue
            if isinstance(campaign.start, DateStart):
                occurrence = watch.occurrence(campaign.start.what)
                stimuli[people.final(rows, watch.profile_id)].append(Starts(campaign, occurrence))
        dated = await people.snapshots(tx, {watch.profile_id for watch in over})
        await redate(tx, dated, rows, catalog, now)
        return await self._decided(tx, rows, stimuli, catalog, now)

    async def parked(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        """Decide with the person as we know them: whoever is still unknown is refused as such."""
        catalog = await self._pipeline.catalogs.current(tx)
        rows = await people.lock(tx, {timer.profile_id for timer in due}, self._pipeline.partitions)
        stimuli: Stimuli = defaultdict(list)
        await lose_patience(tx, list(rows), catalog, stimuli, now)
        return await self._decided(tx, rows, stimuli, catalog, now, patient=False)

    async def _decide(self, tx: Connection, stimuli: Stimuli, now: Instant) -> Outcome:
        rows = await people.lock(tx, list(stimuli), self._pipeline.partitions)
        catalog = await self._pipeline.catalogs.current(tx)
        return await self._decided(tx, rows, stimuli, catalog, now)

    async def _decided(
        self,
        tx: Connection,
        rows: dict[str, people.Row],
        stimuli: Stimuli,
        catalog: Catalog,
        now: Instant,
        *,
        patient: bool = True,
    ) -> Outcome:
        newest = Newest(rows)
        decided = await self._pipeline.decide(
            tx, rows, stimuli, newest, catalog, now, patient=patient
        )
        return self._pipeline.outcome(decided)
