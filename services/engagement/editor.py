"""Creating and changing campaigns: everything is checked before it is in force."""

from collections.abc import Mapping
from typing import Final

import msgspec

from services.engagement.checking import Checker
from services.engagement.domain.acts import ANYTHING
from services.engagement.domain.build import build_campaign
from services.engagement.domain.campaign import Campaign
from services.engagement.follow_up import FollowUp
from services.engagement.naming import Names, Unknown
from services.engagement.refusals import no_such, one_fault
from services.engagement.settings import Approval
from services.engagement.store import settings as stored
from services.engagement.store.settings import StoredCampaign
from zhiyin.contracts.campaigns import CampaignSpec, SegmentEnteredTrigger
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
    """`approval`: whether a campaign must be approved before it is launched (`required`), and by
    somebody else than who wrote that version (`separate`), or need not be (`optional`)."""

    def __init__(
        self,
        db: Database,
        options: Options,
        partitions: int,
        clock: Clock,
        names: Names,
        approval: Approval = "optional",
    ) -> None:
        self._db = db
        self._options = options
        self._partitions = partitions
        self._clock = clock
        self._checker = Checker(options, names)
        self._approval = approval

    async def create(self, spec: CampaignSpec, actor: str) -> StoredCampaign:
        """A draft. Raises Problem: 422 with all that is wrong, 409 if the key is taken."""
        now, unknown = self._clock(), await self._checker.unknown(spec)
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            await self._checker.check(tx, spec, unknown)
            if await stored.campaign(tx, spec.key) is not None:
                raise Problem(409, "campaign_exists", f"there is a campaign {spec.key} already")
            await stored.save_campaign(tx, spec, 1, "draft", now, actor)
            return StoredCampaign(spec, 1, "draft", now, now)

    async def update(self, spec: CampaignSpec, actor: str) -> StoredCampaign:
        """A new version; those on their way finish on theirs, or move if it says so. What was
        approved but not launched is a draft again, as is what was paused if it must be approved.
        Raises Problem: 404, 409 when it has ended or must be paused first, 422."""
        now, unknown = self._clock(), await self._checker.unknown(spec)
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            old = await self._existing(tx, spec.key)
            campaign = await self._checker.check(tx, spec, unknown, old.version + 1)
            if old.state == "ended":
                raise Problem(409, "wrong_state", f"{spec.key} has ended; make a new campaign")
            if spec == old.spec:
                return old
            state = self._state_of_new_version(old)
            await stored.save_campaign(tx, spec, campaign.version, state, now, actor)
            follow_up = FollowUp(tx, self._partitions, now)
            if state == "live":
                await follow_up.expect(campaign)
            if spec.inside == "move":
                await follow_up.moved(campaign)
            return StoredCampaign(spec, campaign.version, state, old.created_at, now)

    def _state_of_new_version(self, old: StoredCampaign) -> str:
        if self._approval == "optional":
            return "draft" if old.state == "approved" else old.state
        if old.state == "live":
            message = "a new version must be approved: pause the campaign first"
            raise Problem(409, "wrong_state", message)
        return "draft"

    async def move(
        self, key: str, word: str, actor: str, *, include_current_members: bool = False
    ) -> StoredCampaign:
        """`approve`, `launch`, `pause` or `end`; again what it is already changes nothing. Raises
        Problem: 403 to whoever may not approve their own, 404, 409 in a state in which it makes
        no sense, 422."""
        allowed, target = _MOVES[word]
        now = self._clock()
        unknown = await self._unknown(key) if word == "launch" else Unknown()
        async with self._db.transaction() as tx:
            await stored.touch(tx)
            old = await self._existing(tx, key)
            if old.state != target and old.state not in allowed:
                raise Problem(409, "wrong_state", f"{key} is {old.state}: cannot {word} it")
            follow_up = FollowUp(tx, self._partitions, now)
            if include_current_members:
                await follow_up.members(self._built(old, target), _segment_entered(old))
            if old.state == target:
                return old
            if word == "approve":
                await self._check_approver(tx, old, actor)
            if word == "launch":
                self._check_approved(old)
                await self._checker.check(tx, old.spec, unknown)
            await stored.change_state(tx, key, old.version, target, now, actor)
            if target == "live":
                await follow_up.launched(self._built(old, target))
            if target == "ended":
                await follow_up.ended(self._built(old, target))
            return msgspec.structs.replace(old, state=target, updated_at=now)

    async def _unknown(self, key: str) -> Unknown:
        async with self._db.connection() as connection:
            found = await stored.campaign(connection, key)
        return Unknown() if found is None else await self._checker.unknown(found.spec)

    def _check_approved(self, old: StoredCampaign) -> None:
        if self._approval != "optional" and old.state == "draft":
            raise Problem(409, "not_approved", f"{old.spec.key} must be approved first")

    async def _check_approver(self, tx: Connection, old: StoredCampaign, actor: str) -> None:
        author = await stored.author(tx, old.spec.key, old.version)
        if self._approval == "separate" and author == actor:
            message = "somebody else than its author must approve it"
            raise Problem(403, "own_campaign", message)

    async def _existing(self, tx: Connection, key: str) -> StoredCampaign:
        found = await stored.campaign(tx, key, lock=True)
        if found is None:
            raise no_such("campaign", key)
        return found

    def _built(self, kept: StoredCampaign, state: str) -> Campaign:
        return build_campaign(kept.spec, ANYTHING, self._options, version=kept.version, state=state)


def _segment_entered(kept: StoredCampaign) -> str:
    trigger = kept.spec.trigger
    if isinstance(trigger, SegmentEnteredTrigger):
        return trigger.segment
    raise one_fault(
        "/include_current_members",
        "no_segment",
        "only campaigns that begin on entering a segment have current members",
    )
