"""Who is who: identifiers seen together in one event are one person, within limits.

- A member id is decisive. Two different member ids never become one person by themselves.
- An identifier seen with a second member id stays with whom it has been, is marked as shared, and
  no longer links: a family phone, a tablet in a shop.
- An event goes to the person of its strongest identifier; one with only shared identifiers goes
  to the person they belong to.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from services.profile.domain.person_event import Identifier, PersonEvent
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.properties.customer import CustomerLinked

PROFILE: Final = "profile_id"
MEMBER: Final = "member_id"


class KnownPerson(Struct, frozen=True):
    """A stored person, as far as linking needs to know. `links` goes up whenever the members
    change or an identifier leaves."""

    profile_id: str
    created_at: Instant
    members: frozenset[str]
    links: int = 0


class Link(Struct, frozen=True):
    """To whom a stored identifier belongs."""

    profile_id: str
    shared: bool = False


class Side(Struct, frozen=True):
    """What one of two parties consisted of when they were joined."""

    stored: tuple[KnownPerson, ...]
    events: tuple[PersonEvent, ...]
    joints: "tuple[Joint, ...]"


class Joint(Struct, frozen=True):
    """Two parties turned out to be one person, by `event`."""

    event: PersonEvent
    one: Side
    other: Side


@dataclass(eq=False, slots=True)
class Party:
    """What the batch takes to be one person. `keep`: the profile id an operator wants kept;
    `gained`: identifiers that are new to the graph."""

    stored: list[KnownPerson] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    events: list[PersonEvent] = field(default_factory=list)
    gained: list[Identifier] = field(default_factory=list)
    joints: list[Joint] = field(default_factory=list)
    keep: str | None = None
    into: "Party | None" = None

    def kept_first(self) -> list[KnownPerson]:
        """Stored people, the one whose id stays first: the operator's choice, else the oldest."""
        return sorted(
            self.stored,
            key=lambda one: (one.profile_id != self.keep, one.created_at, one.profile_id),
        )

    def side(self) -> Side:
        return Side(tuple(self.stored), tuple(self.events), tuple(self.joints))


@dataclass(slots=True)
class Resolution:
    """`strangers`: events addressed to a profile id that nobody has."""

    parties: list[Party]
    newly_shared: list[Identifier]
    strangers: list[PersonEvent]


class Resolver:
    """Resolves the events of one batch, one after the other."""

    def __init__(self, links: Mapping[Identifier, Link], people: Mapping[str, KnownPerson]) -> None:
        self._links = links
        self._people = people
        self._shared = {identifier for identifier, link in links.items() if link.shared}
        self._newly_shared: dict[Identifier, None] = {}
        self._owner: dict[Identifier, Party] = {}
        self._stored: dict[str, Party] = {}
        self._parties: list[Party] = []
        self._strangers: list[PersonEvent] = []

    def resolve(self, events: Iterable[PersonEvent]) -> Resolution:
        for event in events:
            party = self._plain(event.identifiers) or self._party_of(event)
            if party is None:
                self._strangers.append(event)
                continue
            party.events.append(event)
        parties = [party for party in self._parties if party.into is None and party.events]
        return Resolution(parties, list(self._newly_shared), self._strangers)

    def _plain(self, identifiers: Sequence[Identifier]) -> Party | None:
        """The usual case, shortened: one member id, known already, of whom it says nothing new."""
        if len(identifiers) > 1 or identifiers[0][0] != MEMBER:
            return None
        owner = self._owner_of(identifiers[0])
        return owner if owner is not None and identifiers[0][1] in owner.members else None

    def _party_of(self, event: PersonEvent) -> Party | None:
        member = next((token for name, token in event.identifiers if name == MEMBER), None)
        if event.identifiers[0][0] == PROFILE:
            party = self._addressed(event)
        else:
            party = self._strongest(event.identifiers, member) or self._new()
        if party is None:
            return None
        for identifier in event.identifiers:
            party = self._tie(party, identifier, event)
        return party

    def _addressed(self, event: PersonEvent) -> Party | None:
        """The person an operator named, joined with another if the command says so."""
        party = self._person(event.identifiers[0][1])
        linked = event.properties
        if party is None or not (isinstance(linked, CustomerLinked) and linked.absorb):
            return party
        other = self._person(linked.absorb)
        if other is None:
            return party
        party.keep = party.stored[0].profile_id
        return self._join(party, other, event)

    def _strongest(self, identifiers: Sequence[Identifier], member: str | None) -> Party | None:
        shared: Party | None = None
        for identifier in identifiers:
            owner = self._owner_of(identifier)
            if owner is None:
                continue
            if member is not None and owner.members and member not in owner.members:
                self._share(identifier)
            elif identifier in self._shared and identifier[0] != MEMBER:
                shared = shared or owner
            else:
                return owner
        # Shared identifiers alone lead to whom they belong; beside a private one they say nothing.
        return shared if all(each in self._shared for each in identifiers) else None

    def _tie(self, party: Party, identifier: Identifier, event: PersonEvent) -> Party:
        """Let an identifier of the event belong to its party, where that is allowed."""
        if identifier[0] == PROFILE:
            return party
        owner = self._owner_of(identifier)
        if owner is party:
            return party
        if owner is None:
            if identifier[0] == MEMBER:
                party.members.add(identifier[1])
            self._owner[identifier] = party
            party.gained.append(identifier)
            return party
        if identifier in self._shared:
            return party
        if party.members and owner.members:
            self._share(identifier)
            return party
        return self._join(party, owner, event)

    def _join(self, one: Party, other: Party, event: PersonEvent) -> Party:
        if one is other:
            return one
        one.joints = [*one.joints, *other.joints, Joint(event, one.side(), other.side())]
        one.stored += other.stored
        one.members |= other.members
        one.events += other.events
        one.gained += other.gained
        one.keep = one.keep or other.keep
        other.into = one
        return one

    def _owner_of(self, identifier: Identifier) -> Party | None:
        if identifier[0] == PROFILE:
            return self._person(identifier[1])
        owner = self._owner.get(identifier)
        if owner is None:
            link = self._links.get(identifier)
            owner = None if link is None else self._person(link.profile_id)
            if owner is not None:
                self._owner[identifier] = owner
        return None if owner is None else self._root(owner)

    def _person(self, profile_id: str) -> Party | None:
        """`profile_id` may be that of a person merged away."""
        known = self._people.get(profile_id)
        if known is None:
            return None
        party = self._stored.get(known.profile_id)
        if party is None:
            party = Party([known], set(known.members))
            self._stored[known.profile_id] = party
            self._parties.append(party)
        return self._root(party)

    def _new(self) -> Party:
        party = Party()
        self._parties.append(party)
        return party

    def _root(self, party: Party) -> Party:
        while party.into is not None:
            party = party.into
        return party

    def _share(self, identifier: Identifier) -> None:
        if identifier not in self._shared:
            self._shared.add(identifier)
            self._newly_shared[identifier] = None
