"""What the resolver works with: stored people, and the parties a batch's events make of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from services.profile.domain.identity_limits import Limits
from services.profile.domain.person_event import Identifier, PersonEvent
from zhiyin.contracts.instants import Instant

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
    """To whom a stored identifier belongs. `others`: by which other members it was used (`use_by`);
    `former`: the person merged into this one through whom it came."""

    profile_id: str
    shared: bool = False
    others: frozenset[str] = frozenset()
    former: str | None = None


class Ties(Struct, frozen=True):
    """What keeps people apart, or full: `held` identifiers per person and namespace; `parted`:
    pairs whom an operator parted."""

    held: Mapping[str, Mapping[str, int]] = {}
    parted: frozenset[tuple[str, str]] = frozenset()


NO_TIES: Final = Ties()


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
    `gained`: identifiers that are new to the graph, or to be taken from whom they were;
    `notes`: identifiers seen with them that do not link, and why; `witness`: the event that made
    one of theirs shared."""

    stored: list[KnownPerson] = field(default_factory=list)
    members: set[str] = field(default_factory=set)
    events: list[PersonEvent] = field(default_factory=list)
    gained: list[Identifier] = field(default_factory=list)
    taken: list[Identifier] = field(default_factory=list)
    notes: dict[Identifier, str] = field(default_factory=dict)
    joints: list[Joint] = field(default_factory=list)
    keep: str | None = None
    witness: PersonEvent | None = None
    into: "Party | None" = None

    def kept_first(self) -> list[KnownPerson]:
        """Stored people, the one whose id stays first: the operator's choice, else the oldest."""
        return sorted(
            self.stored,
            key=lambda one: (one.profile_id != self.keep, one.created_at, one.profile_id),
        )

    def side(self) -> Side:
        return Side(tuple(self.stored), tuple(self.events), tuple(self.joints))

    def take_in(self, other: "Party", event: PersonEvent) -> None:
        """Become one with another party, by `event`."""
        self.joints = [*self.joints, *other.joints, Joint(event, self.side(), other.side())]
        self.stored += other.stored
        self.members |= other.members
        self.events += other.events
        self.gained += other.gained
        self.taken += other.taken
        self.notes |= other.notes
        self.keep = self.keep or other.keep
        self.witness = self.witness or other.witness
        other.into = self

    def holds(self, namespace: str, ties: Ties) -> int:
        """How many identifiers of a namespace they have."""
        stored = sum(ties.held.get(one.profile_id, {}).get(namespace, 0) for one in self.stored)
        return stored + sum(name == namespace for name, _ in self.gained)


class Resolution(Struct, frozen=True):
    """`seen_with`: by which members identifiers of other people were used, `newly_shared`: those
    that link nobody from now on; `strangers`: events addressed to a profile id that nobody has;
    `homes`: events (uid) that came by an identifier of a person merged away, and who; `via`:
    identifiers gained by those; `met`: stored people whom an event bridges."""

    parties: list[Party]
    seen_with: dict[Identifier, set[str]]
    newly_shared: list[Identifier]
    strangers: list[PersonEvent]
    homes: dict[bytes, str]
    via: dict[Identifier, str]
    met: set[str]

    @property
    def tying(self) -> set[str]:
        """Stored people who are to gain identifiers, or whom an event bridges: of them the resolver
        has to know their ties."""
        return self.met.union(
            one.profile_id
            for party in self.parties
            if party.stored and (party.joints or party.gained)
            for one in party.stored
        )

    def allowed(self, ties: Ties, limits: Limits) -> bool:
        """Whether what was resolved without knowing these ties holds all the same."""
        if any(one in self.met and other in self.met for one, other in ties.parted):
            return False
        return not any(_too_much(party, ties, limits) for party in self.parties)


def _too_much(party: Party, ties: Ties, limits: Limits) -> bool:
    return any(
        party.holds(namespace, ties) > limit.each
        for namespace, limit in limits.items()
        if namespace != MEMBER
    )
