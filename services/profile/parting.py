"""Parting: identifiers leave a person, with the events that are theirs, and become another.

An event is whose its strongest identifier is: the anonymous visits of a tablet leave with it, what
a member bought on it stays with the member.
"""

from collections.abc import Sequence

from msgspec.structs import replace

from services.profile import graph, store
from services.profile.arrivals import from_log, own
from services.profile.domain.change import Change, State, World, by_history, newborn
from services.profile.domain.generated import arrival
from services.profile.domain.identity import MEMBER
from services.profile.domain.messages import new_profile_id
from services.profile.domain.packed import PackedSnapshot
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.reading import Reader
from services.profile.domain.stated_tags import is_stated
from services.profile.identify import Found
from services.profile.saving import Written
from zhiyin.contracts.properties.customer import CustomerUnlinked
from zhiyin.runtime.batch import Connection


async def part(
    tx: Connection, reader: Reader, found: Found, world: World, partition: int
) -> list[Written]:
    """The new people that identifiers named by this batch's events become. The one they leave is
    then told by the events that stay."""
    newcomers = []
    for event in found.party.events:
        if isinstance(event.properties, CustomerUnlinked):
            named = [_identifier(each) for each in event.properties.identifiers]
            owned = await graph.owned(tx, found.profile_id, named)
            if owned:
                newcomers.append(await _leave(tx, reader, found, event, owned, world, partition))
    return newcomers


def staying(state: State) -> State:
    """The person left behind: stated tags are told again by the events that stay."""
    tags = {name: tag for name, tag in state.snapshot.tags.items() if not is_stated(tag)}
    return State(replace(state.snapshot, tags=tags), state.tagging)


async def _leave(
    tx: Connection,
    reader: Reader,
    found: Found,
    event: PersonEvent,
    owned: list[Identifier],
    world: World,
    partition: int,
) -> Written:
    new_id = new_profile_id(event)
    old = found.state(world.now).snapshot
    ids = [found.profile_id, *old.merged_from]
    history = from_log(reader, await store.history(tx, ids))
    leaving = [each for each in history if each.identifiers[0] in owned]
    await graph.hand_over(tx, new_id, owned)
    await store.move_events(tx, ids, [each.uid for each in leaving], new_id)
    arriving = _arriving(reader, event, owned, old)
    await store.append_events(tx, [(new_id, each) for each in arriving])
    members = frozenset(token for namespace, token in owned if namespace == MEMBER)
    found.party.members -= members
    found.parted = True
    change: Change = by_history(
        newborn(new_id, world.now), [*leaving, *arriving], arriving, world, afresh=True
    )
    return Written(change, members, 1, partition, tuple(owned))


def _arriving(
    reader: Reader, event: PersonEvent, owned: Sequence[Identifier], old: PackedSnapshot
) -> list[PersonEvent]:
    shown = old.facts.identifiers
    return [
        own(reader, arrival(event, number, each, shown.get(each[0], {}).get(each[1], "")))
        for number, each in enumerate(owned)
    ]


def _identifier(text: str) -> Identifier:
    namespace, _, token = text.partition(":")
    return namespace, token
