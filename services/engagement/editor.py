"""Creating and changing campaigns: everything is checked before it is in force."""

from collections.abc import Mapping
from typing import Final

import msgspec

from services.engagement.domain.build import build_campaign
from services.engagement.domain.campaign import Campaign, ReorderStart
from services.engagement.domain.faults import Faulty
from services.engagement.domain.plan import Known
from services.engagement.launching import Job, begin
from services.engagement.refusals import no_such, one_fault, refused
from services.engagement.store import settings as stored
from services.engagement.store.settings import StoredCampaign
from zhiyin.contracts.campaigns import CampaignSpec, SegmentEnteredTrigger
from zhiyin.contracts.instants import Instant
from zhiyin.rules import Options
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.problems import Problem

# Which states an operator's word may be said in, and where it leads.
_MOVES: Final[Mapping[str, tuple[frozenset[str], str]]] = {
    "approve": (frozenset({"draft"}), "approved"),
    "launch": (frozenset({"draft", "approved", "paused"}), "live"),
    "pause": (frozenset({"live"}), "paused"),
    "end": (frozenset({"draft", "approved", "live", "paused"}), "ended"),
}


class Editor:
    def __init__(self, db: Database, options: Options, partitions: int, clock: Clock) -> None:
        self._db = db
        self._options = options
        self._partitions = partitions
        self._clock = clock

    async def create(self, spec: CampaignSpec, actor: str) -> StoredCampaign:
        """A draft. Raises Problem: 422 with all that is wrong, 409 if the key is taken."""
        now = self._clock()
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            await self._check(tx, spec)
            if await stored.campaign(tx, spec.key) is not None:
                raise Problem(409, "campaign_exists", f"there is a campaign {spec.key} already")
            await stored.save_campaign(tx, spec, 1, "draft", now, actor)
            return StoredCampaign(spec, 1, "draft", now, now)

    async def update(self, spec: CampaignSpec, actor: str) -> StoredCampaign:
        """A new version; those on their way finish on theirs. What was approved but not launched
        is a draft again. Raises Problem: 404, 409 when it has ended, 422."""
        now = self._clock()
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            old = await self._existing(tx, spec.key)
            if old.state == "ended":
                raise Problem(409, "wrong_state", f"{spec.key} has ended; make a new campaign")
            campaign = await self._check(tx, spec)
            if spec == old.spec:
                return old
            state = "draft" if old.state == "approved" else old.state
            await stored.save_campaign(tx, spec, old.version + 1, state, now, actor)
            if state == "live" and isinstance(campaign.start, ReorderStart):
                await self._begin(tx, "watches", spec.key, old.version + 1, now)
            return StoredCampaign(spec, old.version + 1, state, old.created_at, now)

    async def move(
        self, key: str, word: str, actor: str, *, include_current_members: bool = False
    ) -> StoredCampaign:
        """`approve`, `launch`, `pause` or `end`; again what it is already changes nothing. Raises
        Problem: 404, 409 in a state in which it makes no sense, 422."""
        allowed, target = _MOVES[word]
        now = self._clock()
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            old = await self._existing(tx, key)
            if old.state != target and old.state not in allowed:
                raise Problem(409, "wrong_state", f"{key} is {old.state}: cannot {word} it")
            if include_current_members:
                await self._include(tx, old, now)
            if old.state == target:
                return old
            if word == "launch":
                await self._check(tx, old.spec)
            await stored.change_state(tx, key, old.version, target, now, actor)
            await self._follow_up(tx, old, target, now)
            return msgspec.structs.replace(old, state=target, updated_at=now)

    async def _follow_up(
        self, tx: Connection, old: StoredCampaign, target: str, now: Instant
    ) -> None:
        """What the change of state means for people who are in the campaign, or will be."""
        spec = old.spec
        if target == "ended" or (target == "live" and old.state == "paused"):
            await self._begin(tx, "resume", spec.key, old.version, now)
        if target == "live" and spec.trigger.__struct_config__.tag == "reorder.due":
            await self._begin(tx, "watches", spec.key, old.version, now)

    async def _include(self, tx: Connection, old: StoredCampaign, now: Instant) -> None:
        trigger = old.spec.trigger
        if not isinstance(trigger, SegmentEnteredTrigger):
            raise one_fault(
                "/include_current_members",
                "no_segment",
                "only campaigns that begin on entering a segment have current members",
            )
        await self._begin(tx, "members", old.spec.key, old.version, now, segment=trigger.segment)

    async def _begin(
        self, tx: Connection, task: str, key: str, version: int, now: Instant, segment: str = ""
    ) -> None:
        await begin(tx, Job(task, key, version, segment, now), self._partitions, now)

    async def _existing(self, tx: Connection, key: str) -> StoredCampaign:
        found = await stored.campaign(tx, key, lock=True)
        if found is None:
            raise no_such("campaign", key)
        return found

    async def _check(self, tx: Connection, spec: CampaignSpec) -> Campaign:
        _check_sizes(spec)
        try:
            return build_campaign(spec, await known(tx), self._options, version=1, state="draft")
        except Faulty as error:
            raise refused(error) from error


async def known(tx: Connection) -> Known:
    """What a campaign may refer to at present."""
    return Known(
        coupons=frozenset(spec.key for spec, _ in await stored.coupon_templates(tx)),
        templates=frozenset(key for key, _ in await stored.templates(tx)),
        channels={each.name: each.kind for each in await stored.channels(tx)},
    )


def _check_sizes(spec: CampaignSpec) -> None:
    """JSON knows numbers of any length; what travels in a message does not."""
    try:
        msgspec.msgpack.encode(spec)
    except (OverflowError, RecursionError) as error:
        raise one_fault("", "out_of_range", f"a number is too large: {error}") from error
