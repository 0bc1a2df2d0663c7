"""Who the events of a batch belong to, with everybody concerned locked."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from services.profile import graph, tombstones
from services.profile.domain.change import State, newborn
from services.profile.domain.identity import Resolver
from services.profile.domain.identity_limits import Limits
from services.profile.domain.messages import new_profile_id
from services.profile.domain.party import PROFILE, KnownPerson, Link, Party, Resolution
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.tombstones import Tombstone
from services.profile.graph import Locked
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.properties.customer import CustomerLinked
from zhiyin.runtime.batch import Connection

_MOST_ATTEMPTS: Final = 20


class Contended(TimeoutError):
    """Others kept moving the same people; the batch is to be tried again."""


class _Moved(Exception):
    """Somebody else entered an identifier or merged a person between looking and locking."""


class _Barred(Exception):
    """These events (by uid) lead to somebody who was erased."""

    def __init__(self, found: Mapping[bytes, Tombstone]) -> None:
        super().__init__("events of people who were erased")
        self.found = found


class Found:
    """One person of the batch: their id, what is stored under it, whom they absorb, and whether
    identifiers part from them."""

    __slots__ = ("absorbed", "kept", "parted", "party", "profile_id")

    def __init__(self, party: Party, locked: dict[str, Locked]) -> None:
        order = party.kept_first()
        self.party = party
        self.profile_id = order[0].profile_id if order else new_profile_id(party.events[0])
        self.kept: Locked | None = locked[order[0].profile_id] if order else None
        self.parted = False
        self.absorbed: list[Locked] = [locked[one.profile_id] for one in order[1:]]

    @property
    def linked(self) -> bool:
        """Whether this is somebody new, or whose members change."""
        if self.kept is None or self.absorbed or self.parted:
            return True
        stored = next(one for one in self.party.stored if one.profile_id == self.profile_id)
        return stored.members != self.party.members

    @property
    def links(self) -> int:
        """The counter as it is to be stored: up when members change."""
        return (0 if self.kept is None else self.kept.links) + self.linked

    def state(self, now: Instant) -> State:
        if self.kept is None:
            return newborn(self.profile_id, now)
        return State(self.kept.snapshot, self.kept.tagging)


class Identifying:
    """Mostly the first attempt succeeds, so it goes without a savepoint, which takes two round
    trips. Where it does not, the whole batch is tried again, then with one: the same people may go
    on being moved, and events of people who were erased would fail each time."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failed: set[bytes] = set()

    async def identify(
        self, tx: Connection, events: Sequence[PersonEvent]
    ) -> tuple[list[Found], Resolution]:
        """Every event's person, locked until commit, identifiers entered; events of people who
        were erased are left out and counted. Raises Contended."""
        uids = {event.uid for event in events}
        if self._failed.isdisjoint(uids):
            try:
                return await _attempt(tx, events, self._limits)
            except (_Moved, _Barred) as error:
                self._failed |= uids
                raise Contended("others moved or erased people under this batch") from error
        found = await _patiently(tx, events, self._limits)
        self._failed -= uids
        return found


async def _patiently(
    tx: Connection, events: Sequence[PersonEvent], limits: Limits
) -> tuple[list[Found], Resolution]:
    refused: Counter[str] = Counter()
    for _ in range(_MOST_ATTEMPTS):
        try:
            # A savepoint: giving up must also give back the locks, or their order is lost.
            async with tx.transaction():
                found = await _attempt(tx, events, limits)
            await tombstones.count_refused(tx, refused)
            return found
        except _Moved:
            continue
        except _Barred as error:
            events = [event for event in events if event.uid not in error.found]
            refused.update(tombstone.erasure_id for tombstone in error.found.values())
    raise Contended("people keep being merged under this batch")


async def _attempt(
    tx: Connection, events: Sequence[PersonEvent], limits: Limits
) -> tuple[list[Found], Resolution]:
    links, people = await graph.links(tx, _identifiers(events))
    addressed = set(_addressed(events))
    if addressed:
        people |= await graph.people(tx, addressed)
    resolution = Resolver(links, people, limits).resolve(events)
    if tying := resolution.tying:
        # Mostly nobody is near a limit or was parted; whom it is about is known only now.
        ties = await graph.ties(tx, tying)
        if not resolution.allowed(ties, limits):
            resolution = Resolver(links, people, limits, ties).resolve(events)
    claims = sorted(
        graph.Claim(identifier, profile_id, resolution.via.get(identifier))
        for party in resolution.parties
        if party.gained and (profile_id := _kept_id(party))
        for identifier in party.gained
    )
    if not await graph.claim(tx, claims):
        raise _Moved
    wanted = {one.profile_id: one for party in resolution.parties for one in party.stored}
    locked = await graph.lock(tx, wanted)
    if any(_moved(one, locked.get(profile_id)) for profile_id, one in wanted.items()):
        raise _Moved
    if barred := await tombstones.barred(tx, events, links):
        raise _Barred(barred)
    await graph.note_uses(tx, resolution.seen_with, resolution.newly_shared)
    if not await graph.take(tx, _taken(resolution, links)):
        raise _Moved
    return [Found(party, locked) for party in resolution.parties], resolution


def _taken(
    resolution: Resolution, links: Mapping[Identifier, Link]
) -> list[tuple[Identifier, str, str]]:
    return sorted(
        (identifier, links[identifier].profile_id, _kept_id(party))
        for party in resolution.parties
        for identifier in party.taken
    )


def _moved(known: KnownPerson, locked: Locked | None) -> bool:
    return locked is None or locked.links != known.links


def _kept_id(party: Party) -> str:
    order = party.kept_first()
    return order[0].profile_id if order else new_profile_id(party.events[0])


def _identifiers(events: Sequence[PersonEvent]) -> Iterator[Identifier]:
    for event in events:
        yield from (each for each in event.identifiers if each[0] != PROFILE)


def _addressed(events: Sequence[PersonEvent]) -> Iterator[str]:
    """Profile ids that operators' commands name."""
    for event in events:
        yield from (token for namespace, token in event.identifiers if namespace == PROFILE)
        if isinstance(event.properties, CustomerLinked) and event.properties.absorb:
            yield event.properties.absorb
