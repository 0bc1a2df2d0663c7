"""Work that follows an operator's word for many people: done in small steps by the owners of the
partitions, each step a timer that sets the next."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.engagement.dating import redate
from services.engagement.domain.campaign import Campaign, ScheduleStart
from services.engagement.domain.catalog import Catalog
from services.engagement.domain.occurrence import (
    Occurrence,
    of_broadcast,
    of_member,
    of_tick,
)
from services.engagement.domain.respond import Moved, Resumed, Starts
from services.engagement.keeping import Newest, Rows
from services.engagement.parking import Stimuli
from services.engagement.pipeline import Decided, Pipeline
from services.engagement.reordering import rewatch
from services.engagement.store import people, runs
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection, Outcome, Outgoing, Timer
from zhiyin.runtime.timers import set_timers

JOB_TIMER: Final = "job"
_STEP: Final = 200  # people at once: a transaction must stay short


class Job(Struct, frozen=True):
    """`task`: `members` (enter those already in the segment), `schedule` and `broadcast` (enter
    them at this instant), `watches` (date the reorders and days of everybody), `resume` (runs of a
    campaign launched again, or ended), `move` (runs of older versions to this one). `after`: where
    it is; `missed`: see `of_tick`."""

    task: str
    campaign: str
    version: int
    segment: str
    at: Instant
    after: str = ""
    missed: int = 0


_ONLY_LIVE: Final = frozenset({"schedule", "broadcast"})
_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Job).decode


async def begin(tx: Connection, job: Job, partitions: int, now: Instant) -> None:
    """Start a job on every partition, in the transaction that makes it necessary."""
    await set_timers(tx, [_timer(job, number, now) for number in range(partitions)])


async def begin_on(tx: Connection, job: Job, partition: int, now: Instant) -> None:
    """Start a job on one partition alone."""
    await set_timers(tx, [_timer(job, partition, now)])


class Launching:
    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def jobs(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        outgoing: list[Outgoing] = []
        for timer in due:
            outgoing += await self._step(tx, _unpack(timer.payload), timer.partition, now)
        return self._pipeline.outcome(Decided(outgoing))

    async def _step(
        self, tx: Connection, job: Job, partition: int, now: Instant
    ) -> Iterable[Outgoing]:
        catalog = await self._pipeline.catalogs.current(tx)
        campaign = catalog.campaigns.get(job.campaign)
        if campaign is None or (job.task in _ONLY_LIVE and campaign.state != "live"):
            return ()
        ids = await self._next(tx, job, partition)
        if not ids:
            return ()
        rows = await people.lock(tx, ids, self._pipeline.partitions)
        stimuli = await self._stimuli(tx, job, campaign, ids, rows, catalog, now)
        decided = await self._pipeline.decide(tx, rows, stimuli, Newest(rows), catalog, now)
        await set_timers(tx, [_timer(replace(job, after=ids[-1]), partition, now)])
        return decided.outgoing

    async def _stimuli(
        self,
        tx: Connection,
        job: Job,
        campaign: Campaign,
        ids: Sequence[str],
        rows: Rows,
        catalog: Catalog,
        now: Instant,
    ) -> Stimuli:
        """What the job means for each of these people."""
        stimuli: Stimuli = defaultdict(list)
        match job.task:
            case "watches":
                found = await people.snapshots(tx, ids)
                await rewatch(tx, found, rows, catalog, stimuli, now)
                await redate(tx, found, rows, catalog, now)
            case "members" | "schedule" | "broadcast":
                starts = Starts(campaign, _occurrence(campaign, job))
                for profile_id in ids:
                    stimuli[profile_id].append(starts)
            case "move":
                known = await self._pipeline.catalogs.versions(
                    tx, catalog, [(job.campaign, job.version)]
                )
                for profile_id in ids:
                    stimuli[profile_id] += map(Moved, known.values())
            case _:
                for profile_id in ids:
                    stimuli[profile_id].append(Resumed(job.campaign))
        return stimuli

    async def _next(self, tx: Connection, job: Job, partition: int) -> list[str]:
        match job.task:
            case "watches":
                return await people.people_after(tx, partition, job.after, _STEP)
            case "members" | "schedule" | "broadcast":
                return await people.members_after(tx, job.segment, partition, job.after, _STEP)
            case _:
                return await runs.held_after(tx, job.campaign, partition, job.after, _STEP)


def _occurrence(campaign: Campaign, job: Job) -> Occurrence:
    match job.task:
        case "schedule" if isinstance(campaign.start, ScheduleStart):
            return of_tick(campaign.start.cron.expression, job.at, job.missed)
        case "broadcast":
            return of_broadcast(job.segment, job.at)
        case _:
            return of_member(job.segment, job.version, job.at)


def _timer(job: Job, partition: int, due_at: Instant) -> Timer:
    return Timer(
        key=f"job:{job.task}:{job.campaign}:{job.at}:{partition}:{job.after}",
        partition=partition,
        due_at=due_at,
        profile_id="",
        kind=JOB_TIMER,
        payload=_pack(job),
    )
