"""What an operator's word means for people who are in a campaign, or will be."""

from services.engagement.domain.campaign import BroadcastStart, Campaign, ReorderStart
from services.engagement.domain.dates import DateStart
from services.engagement.launching import Job, begin
from services.engagement.ticking import wind
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection


class FollowUp:
    """All of it in the transaction that the word is said in."""

    def __init__(self, tx: Connection, partitions: int, now: Instant) -> None:
        self._tx = tx
        self._partitions = partitions
        self._now = now

    async def launched(self, campaign: Campaign) -> None:
        """Those held go on; what its trigger waits for is watched; a broadcast begins."""
        await self._begin("resume", campaign)
        await self.expect(campaign)
        start = campaign.start
        if isinstance(start, BroadcastStart):
            at = max(start.at or self._now, self._now)
            job = Job("broadcast", campaign.key, campaign.version, start.segment, at)
            await begin(self._tx, job, self._partitions, at)

    async def expect(self, campaign: Campaign) -> None:
        """Watch for what its trigger waits for, from now on."""
        if isinstance(campaign.start, ReorderStart | DateStart):
            await self._begin("watches", campaign)
        await wind(self._tx, campaign, self._partitions, self._now)

    async def ended(self, campaign: Campaign) -> None:
        await self._begin("resume", campaign)

    async def moved(self, campaign: Campaign) -> None:
        """Those inside an older version go on in this one, as far as their step is in it."""
        await self._begin("move", campaign)

    async def members(self, campaign: Campaign, segment: str) -> None:
        await self._begin("members", campaign, segment)

    async def _begin(self, task: str, campaign: Campaign, segment: str = "") -> None:
        job = Job(task, campaign.key, campaign.version, segment, self._now)
        await begin(self._tx, job, self._partitions, self._now)
