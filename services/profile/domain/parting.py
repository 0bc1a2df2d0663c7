"""Un-merging, decided: which identifiers leave a person, who of the former people leave with them,
and as whom."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from msgspec import Struct

from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.stated_tags import is_stated
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Tag
from zhiyin.contracts.properties.customer import CustomerLinked

Tags = Mapping[str, Tag]


class Origin(Struct, frozen=True):
    """How an identifier came to a person: with the `former` one it belonged to, or `via` one, by
    an event that came by an identifier of theirs since."""

    former: str | None = None
    via: str | None = None


Identities = Mapping[Identifier, Origin]


class Former(Struct, frozen=True):
    """Somebody merged away: into whom (`joined`, None if that is not known), and who they were."""

    profile_id: str
    joined: str | None
    merged_at: Instant
    created_at: Instant | None
    version: int
    tags: dict[str, Tag] = {}
    kept_tags: dict[str, Tag] = {}


class Parting(Struct, frozen=True):
    """`leaving`: the identifiers; `back`: former people who leave, the one whose id stands for all
    of them first (nobody: it takes a new id); `loose`: identifiers that leave without a former
    person of their own, so that only the events that came by them are theirs."""

    leaving: tuple[Identifier, ...]
    back: tuple[Former, ...]
    loose: frozenset[Identifier]

    @property
    def profile_id(self) -> str | None:
        return self.back[0].profile_id if self.back else None

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(one.profile_id for one in self.back)


def plan(
    owned: Identities, named: Collection[Identifier], formers: Sequence[Former]
) -> Parting | None:
    """None: nothing of what was named is theirs, or nothing would be left of the person.

    A former person leaves when all identifiers do that belonged to them, and takes along what
    came by those since."""
    leaving = set(named) & owned.keys()
    if not leaving or len(leaving) == len(owned):
        return None
    back = _leaving_people(owned, leaving, formers)
    along = {each for each, origin in owned.items() if origin.via in back}
    if len(leaving | along) < len(owned):
        leaving |= along
    first = sorted(_roots(back), key=lambda one: (one.created_at or 0, one.profile_id))
    rest = [one for one in back.values() if one not in first[:1]]
    loose = frozenset(
        each for each in leaving if owned[each].former not in back and owned[each].via not in back
    )
    return Parting(tuple(sorted(leaving)), (*first[:1], *rest), loose)


def former_identifiers(
    owned: Identities, former: str, formers: Iterable[Former]
) -> list[Identifier]:
    """The identifiers that came with a former person and with those merged into them before."""
    group = {former}
    for one in sorted(formers, key=lambda each: -each.merged_at):
        if one.joined in group:
            group.add(one.profile_id)
    return sorted(
        each for each, origin in owned.items() if origin.former in group or origin.via in group
    )


def _leaving_people(
    owned: Identities, leaving: Collection[Identifier], formers: Sequence[Former]
) -> dict[str, Former]:
    stays = {origin.former for each, origin in owned.items() if each not in leaving}
    goes = {origin.former for each, origin in owned.items() if each in leaving}
    back = {
        one.profile_id: one
        for one in formers
        if one.joined is not None and one.profile_id in goes and one.profile_id not in stays
    }
    # Through whom nothing has come any more goes with whom they had joined, latest merge first.
    for one in sorted(formers, key=lambda each: -each.merged_at):
        if one.profile_id not in stays and one.profile_id not in goes and one.joined in back:
            back[one.profile_id] = one
    return back


def _roots(back: Mapping[str, Former]) -> list[Former]:
    return [one for one in back.values() if one.joined not in back]


def outlived(event: PersonEvent, ids: Collection[str]) -> bool:
    """Whether an event withdrew consents because two disagreed, of whom one is no longer among
    these ids."""
    told = event.properties
    if not isinstance(told, CustomerLinked) or not told.between:
        return False
    return any(side and not set(side) & set(ids) for side in told.between)


def own_tags(
    now_there: Tags, before: Tags, event_ids: Collection[str], versions: Mapping[str, int]
) -> dict[str, Tag]:
    """The tags by rule that a part of a person starts with: what it had before the merge, unless
    one of its own events has brought a tag (again) since. Tags by hand are told again by its
    events. `versions`: of the rules in force."""
    ids = set(event_ids)
    found = dict(before)
    for name, tag in now_there.items():
        own = ids.intersection(tag.evidence)
        if own and not (name in before and own <= set(before[name].evidence)):
            found[name] = tag
    return {
        name: tag
        for name, tag in found.items()
        if not is_stated(tag) and versions.get(name) == tag.rule_version
    }
