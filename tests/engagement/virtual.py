"""The platform on a clock of its own: profiles folded, segments kept and campaigns run by the same
code as live, engagement on a real PostgreSQL. One process, no event log, no waiting."""

import heapq
import itertools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import msgspec

from services.profile.domain.change import (
    Change,
    State,
    World,
    by_events,
    by_history,
    by_time,
    newborn,
    without_events,
)
from services.profile.domain.fold import NeedsHistory
from services.profile.domain.messages import changed_message
from services.profile.domain.person_event import PersonEvent
from services.profile.domain.policy import PLAIN
from services.profile.domain.tag_set import TagSet
from services.segmentation.domain import decide as segments
from services.segmentation.domain.arrival import Arrival, follow
from services.segmentation.domain.changes import told
from services.segmentation.domain.person import PersonCopy
from services.segmentation.domain.segment_set import SegmentSet
from tests.engagement.harness import PARTITIONS, Instance
from tests.profile.events import READER, read
from zhiyin.contracts.events import Event, decode_event
from zhiyin.contracts.instants import Instant, instant
from zhiyin.contracts.profiles import Cause, Snapshot, decode_snapshot, encode
from zhiyin.contracts.segments import SegmentChanged
from zhiyin.contracts.topics import ACTION_DECIDED, PROFILE_CHANGED, SEGMENT_CHANGED
from zhiyin.runtime.log import Record, partition_of

_offsets = itertools.count(1)


@dataclass
class Somebody:
    profile_id: str
    state: State
    told: list[PersonEvent] = field(default_factory=list)
    packed: bytes = b""
    known: PersonCopy | None = None

    @property
    def snapshot(self) -> Snapshot:
        return decode_snapshot(self.packed)

    @property
    def next_due(self) -> Instant | None:
        """When time alone moves their segments or tags."""
        due = [None if self.known is None else self.known.state.next_due]
        due.append(self.state.tagging.timer_at)
        return min((each for each in due if each is not None), default=None)


@dataclass
class VirtualPlatform:
    """`segments`, `tags`: those in force. People are told apart by their member id."""

    instance: Instance
    segments: SegmentSet
    tags: TagSet = field(default_factory=TagSet)
    people: dict[str, Somebody] = field(default_factory=dict)
    heap: list[tuple[Instant, str]] = field(default_factory=list)
    heard: int = 0  # of what engagement has published, told back to the profile

    async def live(self, events: Iterable[Event], until: Instant, window: Instant = 0) -> None:
        """Let these events happen, oldest first, and time pass until `until`. `window`: so long is
        one moment, 0 where every instant is its own."""
        for _, group in itertools.groupby(events, lambda event: self._moment(event, window)):
            happening = list(group)
            now = instant(happening[-1].occurred_at)
            await self._pass(instant(happening[0].occurred_at), window)
            await self._apply([r for event in happening for r in self._happen(event)], now)
            await self._tell_back(now)
        await self._pass(until, window)

    def _moment(self, event: Event, window: Instant) -> Instant:
        at = instant(event.occurred_at)
        return at // window if window else at

    async def _pass(self, until: Instant, window: Instant) -> None:
        """Segments flip and timers fire, each at its instant or at the end of its window."""
        while True:
            timer = await self._next_timer()
            flip = self.heap[0][0] if self.heap else None
            coming = min((at for at in (timer, flip) if at is not None), default=None)
            if coming is None or coming > until:
                return
            now = min(until, (coming // window + 1) * window) if window else coming
            records = list(self._flips(now))
            if records:
                await self._apply(records, now)
            await self.instance.fire_due(now)
            await self._tell_back(now)

    async def _next_timer(self) -> Instant | None:
        rows = await self.instance.fetch(
            "SELECT (extract(epoch FROM min(due_at)) * 1000000)::bigint FROM timer"
        )
        found: Instant | None = rows[0][0]
        return found

    def _flips(self, now: Instant) -> Iterator[Record]:
        while self.heap and self.heap[0][0] <= now:
            at, profile_id = heapq.heappop(self.heap)
            who = self.people[profile_id]
            if who.next_due == at:
                yield from self._by_time(who, at)
                self._wind(who)

    def _by_time(self, who: Somebody, at: Instant) -> Iterator[Record]:
        if who.state.tagging.timer_at == at:
            world = World(self.tags, PLAIN, at)
            settled = by_time(who.state, world)
            if settled.tags != who.state.snapshot.tags:
                yield from self._changed(who, without_events(who.state, settled, world), at)
            else:
                who.state = State(who.state.snapshot, settled.tagging)
        known = who.known
        if known is not None and known.state.next_due is not None and known.state.next_due <= at:
            decision = segments.by_time(who.snapshot, known.state, self.segments, at)
            who.known = PersonCopy(who.profile_id, 0, known.version, 0, decision.state)
            for flip in decision.flips:
                yield _crossing(told(who.profile_id, known.version, flip, None, at))

    def _happen(self, event: Event) -> Iterator[Record]:
        found = READER.read_logged(msgspec.json.encode(event)) if event.received_at else read(event)
        assert isinstance(found, PersonEvent)
        at = found.at
        profile_id = event.customer.get("profile_id") or f"p-{event.customer['member_id']}"
        who = self.people.get(profile_id)
        if who is None:
            who = self.people[profile_id] = Somebody(profile_id, newborn(profile_id, at))
        who.told.append(found)
        world = World(self.tags, PLAIN, at)
        change = by_events(who.state, [found], world)
        if isinstance(change, NeedsHistory):
            change = by_history(who.state, who.told, [found], world)
        yield from self._changed(who, change, at)
        self._wind(who)

    def _changed(self, who: Somebody, change: Change, at: Instant) -> Iterator[Record]:
        before = who.packed or None
        who.state = change.after
        who.packed = encode(change.after.snapshot)
        identity = str(uuid.uuid4())
        value = changed_message(identity, change, who.packed, lambda _: "", {})
        yield _record(PROFILE_CHANGED, who.profile_id, value)
        causes = tuple(
            Cause(e.event_id, e.type, e.source, e.at, at, False, msgspec.Raw(e.whole))
            for e in change.cause
        )
        arrival = Arrival(
            0, at, who.snapshot, who.packed, (*sorted(change.changed), "profile"),
            bool(change.tags_added), causes,
        )  # fmt: skip
        verdict = follow(who.known, before, [arrival], self.segments, at)
        assert verdict is not None
        who.known = verdict.after
        for crossing in verdict.told:
            yield _crossing(crossing)

    def _wind(self, who: Somebody) -> None:
        due = who.next_due
        if due is not None:
            heapq.heappush(self.heap, (due, who.profile_id))

    async def _apply(self, records: Sequence[Record], now: Instant) -> None:
        """People before their segments, which come from another service."""
        self.instance.now = now
        for topic in (PROFILE_CHANGED, SEGMENT_CHANGED):
            if some := [record for record in records if record.topic == topic]:
                await self.instance.apply(some)

    async def _tell_back(self, now: Instant) -> None:
        """Events engagement itself has published: tags set, coupons about to expire."""
        published = self.instance.outgoing[self.heard :]
        self.heard = len(self.instance.outgoing)
        events = [
            decode_event(each.message.value)
            for each in published
            if each.message.topic != ACTION_DECIDED
        ]
        if events:
            await self._apply([r for event in events for r in self._happen(event)], now)
            await self._tell_back(now)


def _crossing(change: SegmentChanged) -> Record:
    return _record(SEGMENT_CHANGED, change.profile_id, encode(change))


def _record(topic: str, key: str, value: bytes) -> Record:
    return Record(topic, partition_of(key, PARTITIONS), next(_offsets), key, value, (), 0)
