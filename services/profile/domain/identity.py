"""Who is who: identifiers seen together in one event are one person, within limits.

- A member id is decisive. Two different member ids never become one person by themselves.
- An identifier seen with more member ids than its namespace allows stays with whom it has been, is
  marked as shared, and no longer links: a family phone, a tablet in a shop.
- An event goes to the person of its strongest identifier; one with only shared identifiers goes
  to the person they belong to, or to nobody known where such identifiers roam.
- People whom an operator parted, and people who would have too many identifiers of a namespace
  together, are not joined by events, only by an operator.
"""

from collections.abc import Iterable, Mapping

from services.profile.domain.identity_limits import DEFAULT_LIMITS, Limits
from services.profile.domain.party import (
    MEMBER,
    NO_TIES,
    PROFILE,
    KnownPerson,
    Link,
    Party,
    Resolution,
    Ties,
)
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.uses import Uses
from zhiyin.contracts.not_linking import LIMIT, PARTED, SHARED, TAKEN
from zhiyin.contracts.properties.customer import CustomerLinked


class Resolver:
    """Resolves the events of one batch, one after the other. `people`: by the ids asked for, which
    may be of people merged away."""

    def __init__(
        self,
        links: Mapping[Identifier, Link],
        people: Mapping[str, KnownPerson],
        limits: Limits = DEFAULT_LIMITS,
        ties: Ties = NO_TIES,
    ) -> None:
        self._links = links
        self._people = people
        self._limits = limits
        self._ties = ties
        self._uses = Uses(links, limits)
        self._formers = {each: link.former for each, link in links.items() if link.former}
        self._owner: dict[Identifier, Party] = {}
        self._stored: dict[str, Party] = {}
        self._parties: list[Party] = []
        self._strangers: list[PersonEvent] = []
        self._homes: dict[bytes, str] = {}
        self._via: dict[Identifier, str] = {}
        self._met: set[str] = set()

    def resolve(self, events: Iterable[PersonEvent]) -> Resolution:
        for event in events:
            party = self._plain(event) or self._party_of(event)
            if party is None:
                self._strangers.append(event)
                continue
            party.events.append(event)
        parties = [
            party for party in self._parties if party.into is None and (party.events or party.notes)
        ]
        return Resolution(
            parties,
            self._uses.seen,
            list(self._uses.newly_shared),
            self._strangers,
            self._homes,
            self._via,
            self._met,
        )

    def _plain(self, event: PersonEvent) -> Party | None:
        """The usual case, shortened: one member id, known already, of whom it says nothing new."""
        identifiers = event.identifiers
        if len(identifiers) > 1 or identifiers[0][0] != MEMBER:
            return None
        owner = self._owner_of(identifiers[0])
        if owner is None or identifiers[0][1] not in owner.members:
            return None
        return self._at_home(event, identifiers[0], owner)

    def _party_of(self, event: PersonEvent) -> Party | None:
        if event.identifiers[0][0] == PROFILE:
            party = self._addressed(event)
        else:
            party = self._strongest(event) or self._new()
        if party is None:
            return None
        for identifier in event.identifiers:
            party = self._tie(party, identifier, event)
        return party

    def _addressed(self, event: PersonEvent) -> Party | None:
        """The person an operator named, joined with another if the command says so."""
        named = event.identifiers[0][1]
        linked = event.properties
        party = self._person(named)
        if party is None:
            return None
        if self._people[named].profile_id != named:
            self._homes[event.uid] = named
        if not (isinstance(linked, CustomerLinked) and linked.absorb):
            return party
        other = self._person(linked.absorb)
        if other is None or other is party:
            return party
        party.keep = party.stored[0].profile_id
        party.take_in(other, event)
        return party

    def _strongest(self, event: PersonEvent) -> Party | None:
        identifiers = event.identifiers
        member = next((token for name, token in identifiers if name == MEMBER), None)
        shared: tuple[Identifier, Party] | None = None
        for identifier in identifiers:
            owner = self._owner_of(identifier)
            if owner is None:
                continue
            if member is not None and owner.members and member not in owner.members:
                self._used_by(identifier, {member}, owner, event)
            elif identifier[0] != MEMBER and self._uses.shared(identifier):
                shared = shared or (identifier, owner)
            else:
                return self._at_home(event, identifier, owner)
        # Shared identifiers alone lead to whom they belong; beside a private one they say nothing.
        if shared is None or not all(map(self._uses.shared, identifiers)):
            return None
        if self._limits[shared[0][0]].roams and shared[1].members:
            return self._roaming(*shared)
        return self._at_home(event, *shared)

    def _roaming(self, identifier: Identifier, owner: Party) -> Party:
        """What everybody uses is nobody's: from now on it leads to a person of its own."""
        party = self._new()
        self._formers.pop(identifier, None)
        if identifier in owner.gained:
            owner.gained.remove(identifier)
            party.gained.append(identifier)
        else:
            party.taken.append(identifier)
        self._owner[identifier] = party
        return party

    def _at_home(self, event: PersonEvent, identifier: Identifier, owner: Party) -> Party:
        """The event came by `identifier`; if that came with somebody merged away, so does it."""
        if self._formers and (former := self._formers.get(identifier)) is not None:
            self._homes[event.uid] = former
        return owner

    def _tie(self, party: Party, identifier: Identifier, event: PersonEvent) -> Party:
        """Let an identifier of the event belong to its party, where that is allowed."""
        namespace = identifier[0]
        if namespace == PROFILE:
            return party
        owner = self._owner_of(identifier)
        if owner is party:
            return party
        if owner is None:
            self._gain(party, identifier, event)
            return party
        if self._uses.shared(identifier):
            party.notes[identifier] = SHARED
            return party
        if self._parted(party, owner):
            party.notes[identifier] = PARTED
            return party
        if party.members and owner.members:
            self._used_by(identifier, party.members, owner, event)
            party.notes[identifier] = SHARED if self._uses.shared(identifier) else TAKEN
            return party
        if self._too_much(party, owner):
            party.notes[identifier] = LIMIT
            return party
        party.take_in(owner, event)
        return party

    def _gain(self, party: Party, identifier: Identifier, event: PersonEvent) -> None:
        namespace, token = identifier
        if namespace == MEMBER:
            party.members.add(token)
        elif party.holds(namespace, self._ties) >= self._limits[namespace].each:
            party.notes[identifier] = LIMIT
            return
        self._owner[identifier] = party
        party.gained.append(identifier)
        if (home := self._homes.get(event.uid)) is not None:
            self._via[identifier] = home

    def _parted(self, one: Party, other: Party) -> bool:
        """Whether an operator found them to be two."""
        for first in one.stored:
            for second in other.stored:
                pair = (first.profile_id, second.profile_id)
                self._met.update(pair)
                if pair in self._ties.parted or pair[::-1] in self._ties.parted:
                    return True
        return False

    def _too_much(self, one: Party, other: Party) -> bool:
        """Whether together they would have more identifiers than one person may."""
        return any(
            one.holds(namespace, self._ties) + other.holds(namespace, self._ties) > limit.each
            for namespace, limit in self._limits.items()
            if namespace != MEMBER
        )

    def _used_by(
        self, identifier: Identifier, members: set[str], owner: Party, event: PersonEvent
    ) -> None:
        """An identifier was seen with other members than its owner, who is told if that makes it
        shared."""
        if self._uses.count(identifier, members, owner.members):
            owner.notes[identifier] = SHARED
            owner.witness = event

    def _owner_of(self, identifier: Identifier) -> Party | None:
        owner = self._owner.get(identifier)
        if owner is None:
            link = self._links.get(identifier)
            owner = None if link is None else self._person(link.profile_id)
            if owner is not None:
                self._owner[identifier] = owner
        return None if owner is None else _root(owner)

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
        return _root(party)

    def _new(self) -> Party:
        party = Party()
        self._parties.append(party)
        return party


def _root(party: Party) -> Party:
    while party.into is not None:
        party = party.into
    return party
