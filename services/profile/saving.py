"""From decided changes to everything that is written: rows, timers, messages, hot copies."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from services.profile import store
from services.profile.domain.change import Change
from services.profile.domain.messages import (
    Traceparent,
    changed_message,
    merged_message,
    message_id,
)
from services.profile.domain.packed import PackedSnapshot
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.tagging import Tagging
from services.profile.erasing import Erased
from services.profile.hot_copies import Copy, HotCopies
from services.profile.store import Row
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.topics import PROFILE_CHANGED
from zhiyin.runtime.batch import Connection, Outcome, Outgoing, Rejected, Timer
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.delays import Delays
from zhiyin.runtime.log import Message, partition_of
from zhiyin.runtime.telemetry import inject
from zhiyin.runtime.timers import clear_timers, set_timers

TAGS_DUE: Final = "tags"


class Absorbed(NamedTuple):
    """Somebody merged away; `snapshot` is their last, its version one up."""

    snapshot: PackedSnapshot
    kept: str


class Written(NamedTuple):
    """A change with what the graph knows of the person. `partition` publishes it; `linked` is False
    where the graph knows nothing new, so that only the snapshot has to be replaced;
    `parted_from`: of somebody who was part of somebody else until now."""

    change: Change
    members: frozenset[str]
    links: int
    partition: int
    gained: tuple[Identifier, ...] = ()
    absorbed: tuple[Absorbed, ...] = ()
    linked: bool = True
    parted_from: Mapping[str, int] = {}


class Saving:
    """`traceparent`s travel on with the message they belong to."""

    def __init__(self, partitions: int, hot: HotCopies, delays: Delays, clock: Clock) -> None:
        self._partitions = partitions
        self._hot = hot
        self._delays = delays
        self._clock = clock

    async def people(
        self,
        tx: Connection,
        written: Sequence[Written],
        rejected: Sequence[Rejected],
        traceparent: Traceparent,
    ) -> Outcome:
        """After events."""
        rows = [_row(one) for one in sorted(written, key=_profile_id)]
        absorbed = [gone for one in written for gone in one.absorbed]
        if absorbed:
            await clear_timers(tx, [timer_key(one.snapshot.profile_id) for one in absorbed])
        linked = {_profile_id(one) for one in written if one.linked}
        await store.save(tx, [row for row in rows if row.profile_id in linked])
        await store.update(tx, [row for row in rows if row.profile_id not in linked])
        await self.timers(tx, [one.change for one in written])
        packed = {row.profile_id: row.snapshot for row in rows}
        outgoing = [
            message
            for one in written
            for message in _messages(one, packed[_profile_id(one)], traceparent)
        ]
        copies = [_copy(one, packed[_profile_id(one)]) for one in written]
        copies += [
            Copy.moved(gone.snapshot.profile_id, gone.snapshot.version, gone.kept)
            for gone in absorbed
        ]
        received = [
            event.received_at for one in written for event in one.change.cause if not event.imported
        ]
        return Outcome(outgoing, rejected, _AfterCommit(self._hot, copies, self._told(received)))

    def and_erased(self, outcome: Outcome, erased: Sequence[Erased]) -> Outcome:
        """The same batch has also erased these people."""
        if not erased:
            return outcome

        async def after_commit() -> None:
            await outcome.after_commit()
            for one in erased:
                remains = one.remains
                await self._hot.erase(one.erasure_id, remains.profile_ids, remains.identifiers)

        outgoing = [*outcome.outgoing, *(message for one in erased for message in one.outgoing)]
        return Outcome(outgoing, outcome.rejected, after_commit)

    async def by_time(self, tx: Connection, changes: Sequence[Change]) -> Outcome:
        """After time or a change of rules alone: nobody is linked anew."""
        rows = [_row(Written(change, frozenset(), 0, 0)) for change in changes]
        await store.update(tx, rows)
        outgoing = [
            _changed(
                Written(change, frozenset(), 0, partition_of(row.profile_id, self._partitions)),
                row.snapshot,
                _untraced,
            )
            for row, change in zip(rows, changes, strict=True)
        ]
        copies = [Copy(row.profile_id, row.version, row.snapshot) for row in rows]
        return Outcome(outgoing, (), _AfterCommit(self._hot, copies, _nothing))

    async def timers(self, tx: Connection, changes: Sequence[Change]) -> None:
        """Timers follow what is remembered beside the tags."""
        moved = [
            (change.after.snapshot.profile_id, change.after.tagging)
            for change in changes
            if change.before.tagging.timer_at != change.after.tagging.timer_at
        ]
        await set_timers(tx, [timer for one in moved if (timer := self.timer(*one)) is not None])
        await clear_timers(tx, [timer_key(one) for one, tagging in moved if not tagging.timer_at])

    def timer(self, profile_id: str, tagging: Tagging) -> Timer | None:
        if tagging.timer_at is None:
            return None
        partition = partition_of(profile_id, self._partitions)
        return Timer(timer_key(profile_id), partition, tagging.timer_at, profile_id, TAGS_DUE)

    def _told(self, received: Sequence[Instant]) -> Callable[[], None]:
        def tell() -> None:
            now = self._clock()
            self._delays.record_many("event_to_profile", [now - each for each in received])

        return tell


class _AfterCommit:
    def __init__(self, hot: HotCopies, copies: Sequence[Copy], tell: Callable[[], None]) -> None:
        self._hot = hot
        self._copies = copies
        self._tell = tell

    async def __call__(self) -> None:
        self._tell()
        if self._copies:
            await self._hot.write(self._copies)


def timer_key(profile_id: str) -> str:
    return f"{TAGS_DUE}:{profile_id}"


def _profile_id(one: Written) -> str:
    return one.change.after.snapshot.profile_id


def _row(one: Written) -> Row:
    after = one.change.after
    return Row(
        after.snapshot.profile_id,
        after.snapshot.version,
        after.snapshot.created_at,
        after.snapshot.updated_at,
        one.members,
        one.links,
        encode(after.snapshot),
        encode(after.tagging),
    )


def _copy(one: Written, packed: bytes) -> Copy:
    """With an absorbed person's identifiers the stale entries lead there and on to here."""
    after = one.change.after.snapshot
    return Copy(after.profile_id, after.version, packed, one.gained)


def _messages(one: Written, packed: bytes, traceparent: Traceparent) -> list[Outgoing]:
    found = [_changed(one, packed, traceparent)]
    after = one.change.after.snapshot
    for gone, kept in one.absorbed:
        identity = message_id(gone.profile_id, gone.version)
        value = merged_message(str(identity), gone, kept, after.updated_at)
        message = Message(PROFILE_CHANGED, gone.profile_id, value, found[0].message.headers)
        found.append(Outgoing(identity, one.partition, message))
    return found


def _changed(one: Written, packed: bytes, traceparent: Traceparent) -> Outgoing:
    change = one.change
    after = change.after.snapshot
    identity = message_id(after.profile_id, after.version)
    value = changed_message(str(identity), change, packed, traceparent, one.parted_from)
    trace = traceparent(change.cause[-1]) if change.cause else ""
    message = Message(PROFILE_CHANGED, after.profile_id, value, inject((), trace or None))
    return Outgoing(identity, one.partition, message)


def _untraced(_: PersonEvent) -> str:
    return ""


def _nothing() -> None:
    return None
