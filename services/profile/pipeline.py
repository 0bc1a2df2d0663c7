"""The sentence of the profile service: events arrive, each finds its person, facts and tags
follow; time passes, tags end."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from services.profile import former, graph, store
from services.profile.arrivals import Arrivals, arrivals, from_log, own, traceparent_of
from services.profile.catalogue import Catalogue
from services.profile.domain.change import Afresh, Change, State, World, by_events, by_history
from services.profile.domain.consents import anything_said, sides_of, withdrawals
from services.profile.domain.fold import NeedsHistory
from services.profile.domain.generated import withdrawal
from services.profile.domain.identity_limits import DEFAULT_LIMITS, Limits
from services.profile.domain.linking import as_one, noted
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import Policy
from services.profile.domain.reading import Reader
from services.profile.erasing import Erased, erase, erasure_in, nothing_to_erase
from services.profile.former import Merge
from services.profile.graph import Locked
from services.profile.hearing import Hearing
from services.profile.identify import Found, Identifying
from services.profile.parting import Divider, Parted
from services.profile.saving import Absorbed, Saving, Written
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection, Outcome, Rejected
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.log import Record

_STRANGER: Final = "unknown_profile"


class Pipeline:
    """What a worker does with customer events."""

    def __init__(
        self,
        reader: Reader,
        hearing: Hearing,
        catalogue: Catalogue,
        saving: Saving,
        policy: Policy,
        clock: Clock,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._reader = reader
        self._hearing = hearing
        self._catalogue = catalogue
        self._saving = saving
        self._policy = policy
        self._clock = clock
        self._identifying = Identifying(limits)

    async def apply(self, tx: Connection, records: Sequence[Record]) -> Outcome:
        """A batch of `events.*`."""
        arrived = arrivals(self._reader, records)
        rules = await self._catalogue.current(tx)
        fresh = await store.first_sight(tx, arrived.records)
        new = [event for event in arrived.events if event.uid in fresh]
        heard = await self._hearing.hear(tx, new)
        found, resolution = await self._identifying.identify(tx, heard)
        world = World(rules, self._policy, self._clock())
        rejected = await _strangers(tx, arrived, resolution.strangers, world.now)
        found, erased = await _erased(tx, found, arrived, world.now)
        for each in found:
            each.party.events += self._stricter(each)
        homes = resolution.homes
        await store.append_events(
            tx,
            (
                (homes.get(event.uid, each.profile_id), event)
                for each in found
                for event in each.party.events
            ),
        )
        await former.absorb(tx, [one for each in found for one in _merges(each)], world.now)
        written: list[Written] = []
        for each in found:
            written += await self._person(tx, each, world, arrived)
        outcome = await self._saving.people(
            tx, written, rejected, lambda event: traceparent_of(arrived.records.get(event.uid))
        )
        return self._saving.and_erased(outcome, erased)

    async def _person(
        self, tx: Connection, found: Found, world: World, arrived: Arrivals
    ) -> list[Written]:
        partition = _partition(found, arrived)
        state = await _together(tx, found, world)
        parted = await Divider(tx, self._reader, world, partition).part(state, found.party.events)
        if parted is not None:
            found.parted = True
            found.party.members -= parted.members
        written = Written(
            await self._change(tx, found, state, parted, world),
            frozenset(found.party.members),
            found.links,
            partition,
            (*found.party.gained, *found.party.taken),
            tuple(_absorbed(gone, found.profile_id) for gone in found.absorbed),
            found.linked,
        )
        return [*(parted.newcomers if parted is not None else ()), written]

    async def _change(
        self, tx: Connection, found: Found, state: State, parted: Parted | None, world: World
    ) -> Change:
        events = found.party.events
        if not found.absorbed and parted is None:
            change = by_events(state, events, world)
            if not isinstance(change, NeedsHistory):
                return change
        afresh = Afresh(state.snapshot.tags) if found.absorbed else None
        if parted is not None:
            state, afresh = parted.left, Afresh.of_part(parted.tags, world)
        ids = [found.profile_id, *state.snapshot.merged_from]
        history = from_log(self._reader, await store.history(tx, ids))
        return by_history(state, history, events, world, afresh=afresh)

    def _stricter(self, found: Found) -> list[PersonEvent]:
        """Where people who turn out to be one disagreed on a consent, the refusal goes on
        record."""
        joints = found.party.joints
        if not joints:
            return []
        locked = [*([found.kept] if found.kept else []), *found.absorbed]
        facts = {one.profile_id: one.snapshot.facts for one in locked}
        if not anything_said(joints, facts, found.party.stored):
            return []
        ids = {one.profile_id: (one.profile_id, *one.snapshot.merged_from) for one in locked}
        records = []
        for number, joint in enumerate(joints):
            at, purposes = withdrawals(joint, facts)
            if purposes:
                between = [
                    [each for one in side.stored for each in ids[one.profile_id]]
                    for side in sides_of(joint)
                ]
                value = withdrawal(joint.event, number, found.profile_id, at, purposes, between)
                records.append(own(self._reader, value))
        return records


async def _erased(
    tx: Connection, found: Sequence[Found], arrived: Arrivals, now: Instant
) -> tuple[list[Found], list[Erased]]:
    """Those who stay, and those whom a command of this batch has erased."""
    stay: list[Found] = []
    erased: list[Erased] = []
    for each in found:
        command = erasure_in(each.party.events)
        if command is None:
            stay.append(each)
        else:
            erased.append(await erase(tx, each, command, _partition(each, arrived), now))
    return stay, erased


async def _strangers(
    tx: Connection, arrived: Arrivals, strangers: Sequence[PersonEvent], now: Instant
) -> list[Rejected]:
    """Commands about nobody; replayed later they are new, should the person be there by then."""
    for event in strangers:
        if (command := erasure_in([event])) is not None:
            await nothing_to_erase(tx, command.erasure_id, now)
    strangers = [event for event in strangers if erasure_in([event]) is None]
    await store.forget_sight(tx, [event.uid for event in strangers])
    return [
        *arrived.rejected,
        *(
            Rejected(arrived.records[event.uid], _STRANGER, "there is no such profile")
            for event in strangers
        ),
    ]


async def _together(tx: Connection, found: Found, world: World) -> State:
    """The person with all who have become part of them, and what was noted about identifiers."""
    state = found.state(world.now)
    if found.absorbed:
        owned = await graph.identifiers(tx, found.profile_id)
        state = as_one(state, [gone.snapshot for gone in found.absorbed], owned)
    return noted(state, found.party, world.now) if found.party.notes else state


def _merges(found: Found) -> list[Merge]:
    kept = found.kept
    if kept is None:
        return []
    return [Merge(gone, kept, gone.snapshot.version + 1) for gone in found.absorbed]


def _absorbed(gone: Locked, kept: str) -> Absorbed:
    return Absorbed(replace(gone.snapshot, version=gone.snapshot.version + 1), kept)


def _partition(found: Found, arrived: Arrivals) -> int:
    """Of the last record; those of our own making came in none. Whom somebody else's event told
    us something about has only that one."""
    events = [*found.party.events[::-1], found.party.witness]
    records = (arrived.records.get(event.uid) for event in events if event is not None)
    return next(record.partition for record in records if record is not None)
