"""The sentence of the profile service: events arrive, each finds its person, facts and tags
follow; time passes, tags end."""

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from services.profile import graph, store
from services.profile.arrivals import Arrivals, arrivals, from_log, own, traceparent_of
from services.profile.catalogue import Catalogue
from services.profile.domain.change import Change, State, World, by_events, by_history
from services.profile.domain.consents import anything_said, withdrawals
from services.profile.domain.fold import NeedsHistory
from services.profile.domain.generated import withdrawal
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import Policy
from services.profile.domain.reading import Reader
from services.profile.domain.tags import together
from services.profile.erasing import Erased, erase, erasure_in, nothing_to_erase
from services.profile.graph import Locked
from services.profile.hearing import Hearing
from services.profile.identify import Found, identify
from services.profile.parting import part, staying
from services.profile.saving import Absorbed, Saving, Written
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.properties.customer import CustomerUnlinked
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
    ) -> None:
        self._reader = reader
        self._hearing = hearing
        self._catalogue = catalogue
        self._saving = saving
        self._policy = policy
        self._clock = clock

    async def apply(self, tx: Connection, records: Sequence[Record]) -> Outcome:
        """A batch of `events.*`."""
        arrived = arrivals(self._reader, records)
        rules = await self._catalogue.current(tx)
        fresh = await store.first_sight(tx, arrived.records)
        new = [event for event in arrived.events if event.uid in fresh]
        found, resolution = await identify(tx, await self._hearing.hear(tx, new))
        world = World(rules, self._policy, self._clock())
        rejected = await _strangers(tx, arrived, resolution.strangers, world.now)
        await graph.share(tx, resolution.newly_shared)
        found, erased = await _erased(tx, found, arrived, world.now)
        for each in found:
            each.party.events += self._stricter(each)
        await store.append_events(
            tx, ((each.profile_id, event) for each in found for event in each.party.events)
        )
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
        newcomers: list[Written] = []
        if any(isinstance(event.properties, CustomerUnlinked) for event in found.party.events):
            newcomers = await part(tx, self._reader, found, world, partition)
        change = await self._change(tx, found, world)
        written = Written(
            change,
            frozenset(found.party.members),
            found.links,
            partition,
            tuple(found.party.gained),
            tuple(_absorbed(gone, found.profile_id) for gone in found.absorbed),
            found.linked,
        )
        return [*newcomers, written]

    async def _change(self, tx: Connection, found: Found, world: World) -> Change:
        state, events = found.state(world.now), found.party.events
        afresh = bool(found.absorbed) or found.parted
        if not afresh:
            change = by_events(state, events, world)
            if not isinstance(change, NeedsHistory):
                return change
        if found.parted:
            state = staying(state)
        state = _with_absorbed(state, found.absorbed)
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
        records = []
        for number, joint in enumerate(joints):
            at, purposes = withdrawals(joint, facts)
            if purposes:
                value = withdrawal(joint.event, number, found.profile_id, at, purposes)
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


def _with_absorbed(state: State, absorbed: Sequence[Locked]) -> State:
    """The kept person with the tags and former ids of those merged into them."""
    snapshot = state.snapshot
    for gone in absorbed:
        snapshot = replace(
            snapshot,
            version=max(snapshot.version, gone.snapshot.version),
            tags=together(snapshot.tags, gone.snapshot.tags),
            merged_from=(*snapshot.merged_from, gone.profile_id, *gone.snapshot.merged_from),
        )
    return State(snapshot, state.tagging)


def _absorbed(gone: Locked, kept: str) -> Absorbed:
    return Absorbed(replace(gone.snapshot, version=gone.snapshot.version + 1), kept)


def _partition(found: Found, arrived: Arrivals) -> int:
    """Of the last record; those of our own making came in none."""
    records = (arrived.records.get(event.uid) for event in reversed(found.party.events))
    return next(record.partition for record in records if record is not None)
