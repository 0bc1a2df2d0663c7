"""How verdicts become rows, timers, messages and hot copies; the same for every way to decide."""

from collections.abc import Sequence
from datetime import tzinfo

from services.segmentation import store
from services.segmentation.domain.person import Verdict
from services.segmentation.erasing import erase
from services.segmentation.hot_copies import HotCopies
from services.segmentation.memberships import save_memberships
from services.segmentation.messages import write
from zhiyin.contracts.segments import SegmentChanged
from zhiyin.runtime.batch import Connection, Outcome, Rejected, Timer
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.delays import Delays
from zhiyin.runtime.timers import clear_timers, set_timers

FLIP = "flip"


class Saving:
    """`zone` is the platform's, in which the days of the tallies lie."""

    def __init__(self, zone: tzinfo, hot: HotCopies, delays: Delays, clock: Clock) -> None:
        self._zone = zone
        self._hot = hot
        self._delays = delays
        self._clock = clock

    async def people(
        self, tx: Connection, verdicts: Sequence[Verdict], rejected: Sequence[Rejected]
    ) -> Outcome:
        """Verdicts that bring new snapshots."""
        if verdicts:
            await erase(tx, verdicts, self._clock())
            await store.save_people(tx, verdicts)
            await set_changed_timers(tx, verdicts)
        return await self._told(tx, verdicts, rejected)

    async def states(self, tx: Connection, verdicts: Sequence[Verdict]) -> Outcome:
        """Verdicts on people as they stand."""
        changed = [one for one in verdicts if one.before != one.after]
        if changed:
            await store.save_states(tx, changed)
        return await self._told(tx, changed, ())

    async def _told(
        self, tx: Connection, verdicts: Sequence[Verdict], rejected: Sequence[Rejected]
    ) -> Outcome:
        await save_memberships(tx, verdicts, self._zone)
        moved = [
            one.after
            for one in verdicts
            if one.before is None or one.before.sequence != one.after.sequence
        ]
        told = [change for one in verdicts for change in one.told]

        async def after_commit() -> None:
            self._measure(told)
            await self._hot.write(moved)

        return Outcome(write(verdicts), rejected, after_commit)

    def _measure(self, told: Sequence[SegmentChanged]) -> None:
        """From the gateway's receipt until now; how late timers are, the worker measures."""
        now = self._clock()
        events = [
            now - one.received_at
            for one in told
            if one.cause == "event" and not one.imported and one.received_at is not None
        ]
        if events:
            self._delays.record_many("event_to_segment", events)


def timer_key(profile_id: str) -> str:
    return f"p:{profile_id}"


async def set_changed_timers(tx: Connection, verdicts: Sequence[Verdict]) -> None:
    """One timer per person, at the smallest next flip; untouched where that stays."""
    changed = [one for one in verdicts if one.after.state.next_due != one.was_due]
    await set_timers(tx, flip_timers(changed))
    await clear_timers(
        tx,
        [timer_key(one.after.profile_id) for one in changed if one.after.state.next_due is None],
    )


def flip_timers(verdicts: Sequence[Verdict]) -> list[Timer]:
    """The timers of those whom time can still move."""
    return [
        Timer(
            timer_key(one.after.profile_id),
            one.after.partition,
            one.after.state.next_due,
            one.after.profile_id,
            FLIP,
        )
        for one in verdicts
        if one.after.state.next_due is not None
    ]
