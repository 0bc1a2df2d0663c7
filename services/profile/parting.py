"""Parting: identifiers leave a person, with the events that are theirs, and become another.

Who was merged away before goes as they were: the events that came to them, or by their
identifiers since, lie under their id. Otherwise an event is whose its strongest identifier is: the
anonymous visits of a tablet leave with it, what a member bought on it stays with the member.
"""

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from services.profile import former, graph, store
from services.profile.arrivals import from_log, own
from services.profile.domain.change import Afresh, State, World, by_history
from services.profile.domain.generated import arrival
from services.profile.domain.linking import of_part, without
from services.profile.domain.messages import new_profile_id
from services.profile.domain.packed import PackedSnapshot
from services.profile.domain.parting import Former, Parting, outlived, own_tags, plan
from services.profile.domain.party import MEMBER
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.reading import Reader
from services.profile.domain.tagging import NEVER_ASKED, Tagging
from services.profile.saving import Written
from zhiyin.contracts.profiles import Tag
from zhiyin.contracts.properties.customer import CustomerUnlinked
from zhiyin.runtime.batch import Connection

Events = Sequence[PersonEvent]


class Parted(Struct, frozen=True):
    """`newcomers`: who identifiers have become; `left`: the person left behind, not folded anew
    yet, `tags` what they start with; `members`: member ids that are no longer theirs."""

    newcomers: list[Written]
    left: State
    tags: dict[str, Tag]
    members: frozenset[str]


class _Divided(Struct, frozen=True):
    """The events of a person, by whose they are from now on."""

    leaving: Events
    staying: Events


class Divider:
    """Parts people as `customer.unlinked` events say."""

    def __init__(self, tx: Connection, reader: Reader, world: World, partition: int) -> None:
        self._tx = tx
        self._reader = reader
        self._world = world
        self._partition = partition

    async def part(self, state: State, events: Events) -> Parted | None:
        """The people that identifiers named by these events become, again or for the first time."""
        parted: Parted | None = None
        for event in events:
            if not isinstance(event.properties, CustomerUnlinked):
                continue
            named = [_identifier(each) for each in event.properties.identifiers]
            found = await self._leave(state if parted is None else parted.left, event, named)
            if found is not None and parted is not None:
                found = Parted(
                    [*parted.newcomers, *found.newcomers],
                    found.left,
                    {name: tag for name, tag in found.tags.items() if name in parted.tags},
                    parted.members | found.members,
                )
            parted = found or parted
        return parted

    async def _leave(
        self, state: State, event: PersonEvent, named: Sequence[Identifier]
    ) -> Parted | None:
        old = state.snapshot
        owned = await graph.identifiers(self._tx, old.profile_id)
        formers = await former.formers(self._tx, old.profile_id)
        parting = plan(owned, named, formers)
        if parting is None:
            return None
        new_id = parting.profile_id or new_profile_id(event)
        ids = [one for one in (old.profile_id, *old.merged_from) if one not in parting.ids]
        divided = await self._divide(new_id, ids, parting)
        await former.part(self._tx, old.profile_id, new_id, parting, self._world.now)
        arriving = await self._arrive(event, parting, divided.leaving, old, new_id)
        leaving = [*divided.leaving, *arriving]
        stays = owned.keys() - set(parting.leaving)
        start, tags = _returning(new_id, old, parting, leaving, stays, self._world)
        members = frozenset(token for name, token in parting.leaving if name == MEMBER)
        newcomer = Written(
            by_history(
                start, leaving, [event], self._world, afresh=Afresh.of_part(tags, self._world)
            ),
            members,
            1,
            self._partition,
            parting.leaving,
            parted_from=_outdated(old, ids, formers),
        )
        left, kept_tags = _left(state, ids, parting, divided.staying, self._world)
        return Parted([newcomer], left, kept_tags, members)

    async def _divide(self, new_id: str, ids: Sequence[str], parting: Parting) -> _Divided:
        """What is whose, in the event log too; what only their being one had brought about goes."""
        there = from_log(self._reader, await store.history(self._tx, ids))
        loose = {each.uid for each in there if each.identifiers[0] in parting.loose}
        await store.move_events(self._tx, ids, sorted(loose), new_id)
        theirs = sorted({new_id, *parting.ids})
        leaving = from_log(self._reader, await store.history(self._tx, theirs))
        staying = [each for each in there if each.uid not in loose]
        over = {each.uid for each in leaving if outlived(each, theirs)}
        over |= {each.uid for each in staying if outlived(each, ids)}
        await store.drop_events(self._tx, [*theirs, *ids], sorted(over))
        return _Divided(
            [each for each in leaving if each.uid not in over],
            [each for each in staying if each.uid not in over],
        )

    async def _arrive(
        self,
        event: PersonEvent,
        parting: Parting,
        leaving: Events,
        old: PackedSnapshot,
        new_id: str,
    ) -> Events:
        """Identifiers that none of the leaving events names are named by one of our own."""
        told = {each for one in leaving for each in one.identifiers}
        shown = old.facts.identifiers
        arriving = [
            own(self._reader, arrival(event, number, each, shown.get(each[0], {}).get(each[1], "")))
            for number, each in enumerate(parting.leaving)
            if each not in told
        ]
        await store.append_events(self._tx, [(new_id, each) for each in arriving])
        return arriving


def _left(
    state: State, ids: Collection[str], parting: Parting, events: Events, world: World
) -> tuple[State, dict[str, Tag]]:
    """The person left behind, and the tags they start with."""
    old = state.snapshot
    if parting.back and parting.back[0].joined == old.profile_id:
        before: Mapping[str, Tag] = parting.back[0].kept_tags
    else:  # not known; what no event has brought may well have been theirs
        before = {name: tag for name, tag in old.tags.items() if not tag.evidence}
    kept = tuple(one for one in old.merged_from if one in ids)
    snapshot = of_part(replace(old, merged_from=kept), old, events)
    snapshot = without(snapshot, _named(events, parting.leaving), world.now)
    return State(snapshot, state.tagging), own_tags(
        old.tags, before, _ids(events), _versions(world)
    )


def _returning(
    new_id: str,
    old: PackedSnapshot,
    parting: Parting,
    events: Events,
    stays: Collection[Identifier],
    world: World,
) -> tuple[State, dict[str, Tag]]:
    """Who they are again, before their events are folded, and the tags they start with."""
    now = world.now
    first = parting.back[0] if parting.back else Former(new_id, None, now, now, 0)
    snapshot = PackedSnapshot(
        new_id,
        first.version,
        now if first.created_at is None else first.created_at,
        now,
        merged_from=tuple(one.profile_id for one in parting.back[1:]),
    )
    snapshot = without(of_part(snapshot, old, events), _named(events, stays), world.now)
    return State(snapshot, Tagging(NEVER_ASKED)), own_tags(
        old.tags, first.tags, _ids(events), _versions(world)
    )


def _versions(world: World) -> dict[str, int]:
    return {rule.tag: rule.version for rule in world.rules.rules}


def _outdated(
    old: PackedSnapshot, ids: Collection[str], formers: Sequence[Former]
) -> dict[str, int]:
    """Up to which version news of those they leave still takes them for one person."""
    versions = {one.profile_id: one.version for one in formers if one.profile_id in ids}
    return {**versions, old.profile_id: old.version}


def _named(events: Events, identifiers: Collection[Identifier]) -> list[Identifier]:
    """Those that their events name though they are somebody else's."""
    named = {each for one in events for each in one.identifiers}
    return sorted(named & set(identifiers))


def _ids(events: Events) -> list[str]:
    return [each.event_id for each in events]


def _identifier(text: str) -> Identifier:
    namespace, _, token = text.partition(":")
    return namespace, token
