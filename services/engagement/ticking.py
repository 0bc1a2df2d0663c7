"""Campaigns on a schedule: a timer per partition that enters the segment's members whenever it
comes, and sets the next."""

from collections.abc import Sequence
from typing import Final

import msgspec
from msgspec import Struct

from services.engagement.domain.campaign import Campaign, ScheduleStart
from services.engagement.launching import Job, begin_on
from services.engagement.pipeline import Decided, Pipeline
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection, Outcome, Timer
from zhiyin.runtime.timers import set_timers

TICK_TIMER: Final = "tick"
_MOST_COUNTED: Final = 1000


class Tick(Struct, frozen=True):
    campaign: str


_pack: Final = msgspec.msgpack.Encoder().encode
_unpack: Final = msgspec.msgpack.Decoder(Tick).decode


async def wind(tx: Connection, campaign: Campaign, partitions: int, now: Instant) -> None:
    """Set the next instant of a campaign's schedule, in place of the one that was set."""
    if isinstance(campaign.start, ScheduleStart):
        due_at = campaign.start.cron.after(now)
        await set_timers(tx, [_timer(campaign.key, each, due_at) for each in range(partitions)])


class Ticking:
    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    async def ticks(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        catalog = await self._pipeline.catalogs.current(tx)
        for timer in due:
            campaign = catalog.campaigns.get(_unpack(timer.payload).campaign)
            if campaign is not None and catalog.asks(campaign):
                await _tick(tx, campaign, timer, now)
        return self._pipeline.outcome(Decided())


async def _tick(tx: Connection, campaign: Campaign, timer: Timer, now: Instant) -> None:
    """Of instants that passed while nobody was there only the newest is kept. A paused campaign
    asks nobody, and goes on with the next one after it is launched again."""
    start = campaign.start
    if not isinstance(start, ScheduleStart):
        return
    await set_timers(tx, [_timer(campaign.key, timer.partition, start.cron.after(now))])
    if campaign.state == "live":
        newest = max(start.cron.by(now), timer.due_at)
        job = Job(
            "schedule",
            campaign.key,
            campaign.version,
            start.segment,
            newest,
            missed=_between(start, timer.due_at, newest),
        )
        await begin_on(tx, job, timer.partition, now)


def _between(start: ScheduleStart, first: Instant, newest: Instant) -> int:
    missed, at = 0, first
    while at < newest and missed < _MOST_COUNTED:
        missed, at = missed + 1, start.cron.after(at)
    return missed


def _timer(campaign: str, partition: int, due_at: Instant) -> Timer:
    return Timer(
        key=f"tick:{campaign}:{partition}",
        partition=partition,
        due_at=due_at,
        profile_id="",
        kind=TICK_TIMER,
        payload=_pack(Tick(campaign)),
    )
