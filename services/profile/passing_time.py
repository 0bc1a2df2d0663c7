"""What time does to people's tags, and what a change of the rules does to everybody's."""

from collections.abc import Sequence
from typing import Final

from services.profile import graph, reads, store, tag_progress
from services.profile.catalogue import Catalogue
from services.profile.domain.change import Change, State, World, by_time, without_events
from services.profile.domain.policy import Policy
from services.profile.domain.tagging import Tagging, decode_tagging
from services.profile.saving import Saving
from zhiyin.contracts.instants import SECOND, Duration, Instant
from zhiyin.runtime.batch import Connection, Outcome, Timer
from zhiyin.runtime.timers import set_timers

RETAG: Final = "retag"
# About 50 ms of work, so that live events hardly wait.
_PAGE: Final = 300
_PAUSE: Final[Duration] = SECOND // 100
_BUSY: Final[Duration] = SECOND // 20


def retag_timer(now: Instant) -> Timer:
    """Starts (again) to bring everybody up to the tag rules."""
    return Timer(RETAG, 0, now, "", RETAG)


class PassingTime:
    def __init__(self, catalogue: Catalogue, saving: Saving, policy: Policy) -> None:
        self._catalogue = catalogue
        self._saving = saving
        self._policy = policy

    async def end(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        """People whose tags end, or begin, by time alone."""
        rules = await self._catalogue.current(tx)
        world = World(rules, self._policy, now)
        wanted = [timer.profile_id for timer in due]
        outcome, looked_at = await self._look_at(tx, wanted, world)
        # Who is locked has an event under way, which holds their timer's row up to us: come again.
        left = set(wanted) - looked_at
        there = {one.profile_id for one in await reads.people(tx, sorted(left))} if left else set()
        again = [timer for timer in due if timer.profile_id in there]
        await set_timers(tx, [replace_due(timer, now + _BUSY) for timer in again])
        return outcome

    async def retag(self, tx: Connection, due: Sequence[Timer], now: Instant) -> Outcome:
        """One page of everybody; whoever is locked is brought up by the event under way."""
        rules = await self._catalogue.current(tx)
        cursor = due[0].payload.decode()
        rows = await store.page_of_people(tx, cursor, _PAGE)
        behind = [
            profile_id
            for profile_id, tagging in rows
            if decode_tagging(tagging).revision != rules.revision
        ]
        outcome, _ = await self._look_at(tx, behind, World(rules, self._policy, now))
        await _tell_progress(tx, cursor, len(rows), rules.revision)
        if len(rows) == _PAGE:
            following = Timer(RETAG, 0, now + _PAUSE, "", RETAG, rows[-1][0].encode())
            await set_timers(tx, [following])
        return outcome

    async def _look_at(
        self, tx: Connection, profile_ids: Sequence[str], world: World
    ) -> tuple[Outcome, set[str]]:
        """Settle the tags of those who are not locked, and say who they were."""
        locked = await graph.lock(tx, profile_ids, wait=False)
        changes: list[Change] = []
        quiet: list[tuple[str, Tagging]] = []
        timers = []
        for one in locked.values():
            state = State(one.snapshot, one.tagging)
            settled = by_time(state, world)
            timers.append(self._saving.timer(one.profile_id, settled.tagging))
            if settled.tags != one.snapshot.tags:
                changes.append(without_events(state, settled, world))
            elif settled.tagging != one.tagging:
                quiet.append((one.profile_id, settled.tagging))
        await store.remember_tagging(tx, quiet)
        await set_timers(tx, [timer for timer in timers if timer is not None])
        return await self._saving.by_time(tx, changes), set(locked)


async def _tell_progress(tx: Connection, cursor: str, looked_at: int, revision: int) -> None:
    if not cursor:
        await tag_progress.begin(tx)
    await tag_progress.checked(tx, looked_at)
    if looked_at < _PAGE:
        await tag_progress.finish(tx, revision)


def replace_due(timer: Timer, due_at: Instant) -> Timer:
    return Timer(timer.key, timer.partition, due_at, timer.profile_id, timer.kind, timer.payload)
