"""Work that follows an operator's word for many people: done in small steps by the owners of the
partitions, each step a timer that sets the next."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.engagement.domain.campaign import Campaign
from services.engagement.domain.occurrence import of_member
from services.engagement.domain.respond import Resumed, Starts
from services.engagement.keeping import Newest
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
    """`task`: `members` (enter those already in the segment), `watches` (date the reorders of
    everybody), `resume` (runs of a campaign launched again, or ended). `after`: where it is."""

    task: str
    campaign: str
    version: int
    segment: str
    at: Instant
    after: str = ""


_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Job).decode


async def begin(tx: Connection, job: Job, partitions: int, now: Instant) -> None:
    """Start a job on every partition, in the transaction that makes it necessary."""
    await set_timers(tx, [_timer(job, number, now) for number in range(partitions)])


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
        if campaign is None:
            return ()
        ids = await self._next(tx, job, partition)
        if not ids:
            return ()
        rows = await people.lock(tx, ids, self._pipeline.partitions)
        stimuli: Stimuli = defaultdict(list)
        match job.task:
            case "watches":
                found = await people.snapshots(tx, ids)
                await rewatch(tx, found, rows, catalog, stimuli, now)
            case "members":
                for profile_id in ids:
                    stimuli[profile_id].append(_member(campaign, job))
            case _:
                for profile_id in ids:
                    stimuli[profile_id].append(Resumed(job.campaign))
        decided = await self._pipeline.decide(tx, rows, stimuli, Newest(rows), catalog, now)
        await set_timers(tx, [_timer(replace(job, after=ids[-1]), partition, now)])
        return decided.outgoing

    async def _next(self, tx: Connection, job: Job, partition: int) -> list[str]:
        match job.task:
            case "watches":
                return await people.people_after(tx, partition, job.after, _STEP)
            case "members":
                return await people.members_after(tx, job.segment, partition, job.after, _STEP)
            case _:
                return await runs.held_after(tx, job.campaign, partition, job.after, _STEP)


def _member(campaign: Campaign, job: Job) -> Starts:
    return Starts(campaign, of_member(job.segment, job.version, job.at))


def _timer(job: Job, partition: int, due_at: Instant) -> Timer:
    return Timer(
        key=f"job:{job.task}:{job.campaign}:{job.at}:{partition}:{job.after}",
        partition=partition,
        due_at=due_at,
        profile_id="",
        kind=JOB_TIMER,
        payload=_pack(job),
    )
