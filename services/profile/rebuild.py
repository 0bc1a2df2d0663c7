"""Folding people anew from the event log, page by page, beside new events: after a reducer has
changed, or to prove that what is stored is what the events say."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from services.profile import former, graph, store
from services.profile.arrivals import from_log
from services.profile.catalogue import Catalogue
from services.profile.domain.change import Afresh, Change, State, World, by_history, by_time
from services.profile.domain.comparison import Difference, compare
from services.profile.domain.linking import without
from services.profile.domain.packed import PackedSnapshot, decode_packed, unpack
from services.profile.domain.party import MEMBER
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.policy import Policy
from services.profile.domain.reading import Reader
from services.profile.domain.stated_tags import is_stated
from services.profile.domain.tagging import NEVER_ASKED, Tagging, decode_tagging
from services.profile.saving import Saving
from services.profile.store import StoredRow
from zhiyin.contracts.profiles import Tag, encode
from zhiyin.runtime import outbox
from zhiyin.runtime.batch import Connection, Outcome
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

# Histories are read whole, so pages are short and live events hardly wait.
_PAGE: Final = 40


class Rebuilt(Struct, frozen=True):
    """One person looked at; `differences` none: stored was what the events say."""

    profile_id: str
    differences: tuple[Difference, ...]


class _Judged(Struct, frozen=True):
    change: Change
    members: frozenset[str]
    rebuilt: Rebuilt


class _OnlyLooking(Exception):
    """Nothing is to be kept of this transaction."""


class Rebuild:
    def __init__(
        self, reader: Reader, catalogue: Catalogue, saving: Saving, policy: Policy, clock: Clock
    ) -> None:
        self._reader = reader
        self._catalogue = catalogue
        self._saving = saving
        self._policy = policy
        self._clock = clock

    async def everybody(
        self, database: Database, *, put_right: bool
    ) -> AsyncIterator[Sequence[Rebuilt]]:
        """Page after page, in the order of profile ids."""
        after = ""
        while True:
            async with database.connection() as connection:
                ids = await store.ids_after(connection, after, _PAGE)
            if not ids:
                return
            yield await self.these(database, ids, put_right=put_right)
            after = ids[-1]

    async def these(
        self, database: Database, ids: Sequence[str], *, put_right: bool
    ) -> Sequence[Rebuilt]:
        """In one transaction, which holds their rows meanwhile. Who comes out as they were is not
        told of. Without `put_right` nothing is changed."""
        judged: list[_Judged] = []
        outcome = Outcome()
        try:
            async with database.transaction() as tx:
                judged = await self._judge(tx, ids)
                if not put_right:
                    raise _OnlyLooking
                outcome = await self._put_right(tx, judged)
        except _OnlyLooking:
            pass
        await outcome.after_commit()
        return [one.rebuilt for one in judged]

    async def _judge(self, tx: Connection, ids: Sequence[str]) -> list[_Judged]:
        world = World(await self._catalogue.current(tx), self._policy, self._clock())
        return [await self._person(tx, row, world) for row in await store.lock_rows(tx, ids)]

    async def _put_right(self, tx: Connection, judged: Sequence[_Judged]) -> Outcome:
        wrong = [one for one in judged if one.rebuilt.differences]
        changes = [one.change for one in wrong]
        await self._saving.timers(tx, changes)
        outcome = await self._saving.by_time(tx, changes)
        await store.correct_members(tx, [(one.rebuilt.profile_id, one.members) for one in wrong])
        await outbox.insert(tx, outcome.outgoing)
        return outcome

    async def _person(self, tx: Connection, row: StoredRow, world: World) -> _Judged:
        owned = await graph.identifiers(tx, row.profile_id)
        formers = [one.profile_id for one in await former.formers(tx, row.profile_id)]
        history = from_log(self._reader, await store.history(tx, [row.profile_id, *formers]))
        stored = _readable(row)
        if stored is None:
            elsewhere = await graph.identifiers_parted_from(tx, row.profile_id)
            state = _from_columns(row, formers, history, elsewhere, world)
        else:
            state = stored
        state = _with_formers(state, formers, row.version)
        change = by_history(state, history, (), world, afresh=_tags(state, world))
        members = frozenset(token for name, token in owned if name == MEMBER)
        found = tuple(_differences(row, stored, change, members, world))
        return _Judged(change, members, Rebuilt(row.profile_id, found))


def _readable(row: StoredRow) -> State | None:
    try:
        snapshot, tagging = decode_packed(row.snapshot), decode_tagging(row.tagging)
        unpack(snapshot.facts)
    except msgspec.MsgspecError:
        return None
    return State(snapshot, tagging) if snapshot.profile_id == row.profile_id else None


def _from_columns(
    row: StoredRow,
    formers: Sequence[str],
    history: Sequence[PersonEvent],
    elsewhere: Sequence[Identifier],
    world: World,
) -> State:
    """Somebody whose document cannot be read, as far as the rest of the store knows them."""
    snapshot = PackedSnapshot(
        row.profile_id, row.version, row.created_at, row.updated_at, merged_from=tuple(formers)
    )
    named = {each for event in history for each in event.identifiers}
    lost = [each for each in elsewhere if each in named]
    return State(without(snapshot, lost, world.now), Tagging(NEVER_ASKED))


def _with_formers(state: State, formers: Sequence[str], version: int) -> State:
    """What the graph and the row's own column say stands above the document."""
    known = state.snapshot.merged_from
    merged_from = known if set(known) == set(formers) else tuple(formers)
    snapshot = replace(
        state.snapshot, merged_from=merged_from, version=max(version, state.snapshot.version)
    )
    return State(snapshot, state.tagging)


def _tags(state: State, world: World) -> Afresh:
    """Tags with a ttl run from an event that has been and cannot be asked again; all others are."""
    rules = world.rules.tags
    tags: dict[str, Tag] = {
        name: tag
        for name, tag in state.snapshot.tags.items()
        if not is_stated(tag) and name in rules
    }
    if state.tagging.revision != world.rules.revision:
        return Afresh(tags)
    return Afresh.of_part(tags, world)


def _differences(
    row: StoredRow, stored: State | None, change: Change, members: frozenset[str], world: World
) -> Iterator[Difference]:
    after = change.after.snapshot
    if stored is None:
        yield Difference("", "unreadable", "from the events")
        return
    before = stored.snapshot
    if encode(before.facts) != encode(after.facts):
        yield from compare(unpack(before.facts), unpack(after.facts), "facts")
    # What time alone has ended by now is its timer's business.
    tags: Mapping[str, Tag] = by_time(stored, world).tags
    yield from compare(tags, after.tags, "tags")
    yield from compare(sorted(before.merged_from), sorted(after.merged_from), "merged_from")
    yield from compare(before.version, row.version, "version")
    yield from compare(sorted(row.members), sorted(members), "members")
