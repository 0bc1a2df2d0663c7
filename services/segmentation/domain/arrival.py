"""A profile's change as it arrives, and what it makes of the person's copy."""

from collections.abc import Sequence
from dataclasses import dataclass

from services.segmentation.domain.changes import News, news_of, told
from services.segmentation.domain.decide import Decision, by_change, by_departure
from services.segmentation.domain.person import PersonCopy, Verdict
from services.segmentation.domain.segment_set import SegmentSet
from services.segmentation.domain.settle import Before, Occasion
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause, Snapshot, decode_snapshot
from zhiyin.contracts.segments import SegmentChanged

# Up to as many segments are evaluated sooner than two copies are compared.
_FEW = 24


@dataclass(frozen=True, slots=True)
class Arrival:
    """One `profile.changed`: `packed` is its snapshot as it came. `departure` says that the
    person is no more, and why."""

    partition: int
    at: Instant
    snapshot: Snapshot
    packed: bytes
    changed: tuple[str, ...] = ()
    tags_added: bool = False
    cause: tuple[Cause, ...] = ()
    merged: bool = False
    erased: bool = False
    traceparent: str | None = None

    @property
    def profile_id(self) -> str:
        return self.snapshot.profile_id

    @property
    def version(self) -> int:
        return self.snapshot.version


def needs_snapshot(copy: PersonCopy, rules: SegmentSet, now: Instant) -> bool:
    """Whether deciding about a change takes the copy before it: to tell what time or new rules
    did from what the change did, or because it spares more evaluations than it costs."""
    state = copy.state
    return not copy.gone and (
        state.revision < rules.revision
        or (state.next_due or now + 1) <= now
        or len(state.standings) > _FEW
    )


def follow(
    known: PersonCopy | None,
    stored: bytes | None,
    arrivals: Sequence[Arrival],
    rules: SegmentSet,
    now: Instant,
) -> Verdict | None:
    """Apply one person's arrivals in order; None when all of them are older than the copy.
    `stored`: the copy's snapshot, where `needs_snapshot` asked for it."""
    person = known or PersonCopy(arrivals[0].profile_id, arrivals[0].partition, 0)
    before: Before = lambda: decode_snapshot(stored) if stored else None  # noqa: E731
    messages: list[SegmentChanged] = []
    newest: Arrival | None = None
    for arrival in arrivals:
        if arrival.version <= person.version:
            continue
        news = news_of(arrival.cause, arrival.at, arrival.tags_added, now)
        decision = _decide(person, arrival, news, before, rules, now)
        messages += [
            told(person.profile_id, arrival.version, flip, news, now) for flip in decision.flips
        ]
        person = PersonCopy(
            person.profile_id,
            arrival.partition,
            arrival.version,
            person.sequence,
            decision.state,
            arrival.merged or arrival.erased,
        )
        before = _already(None if person.gone else arrival.snapshot)
        newest = arrival
    if newest is None:
        return None
    return _verdict(known, person, newest, messages)


def _already(snapshot: Snapshot | None) -> Before:
    return lambda: snapshot


def _decide(
    person: PersonCopy,
    arrival: Arrival,
    news: News,
    before: Before,
    rules: SegmentSet,
    now: Instant,
) -> Decision:
    if arrival.erased:
        return by_departure(person.state, Occasion("erasure", min(arrival.at, now)))
    if arrival.merged:
        return by_departure(person.state, Occasion("merge", min(arrival.at, now)))
    # A version in between that never came (it is among the dead letters), or a person seen for
    # the first time: what has changed since is not known.
    known = arrival.version == person.version + 1 and person.version > 0 and not person.gone
    changed = arrival.changed if known else None
    return by_change(arrival.snapshot, changed, news.occasion, before, person.state, rules, now)


def _verdict(
    known: PersonCopy | None,
    person: PersonCopy,
    newest: Arrival,
    messages: list[SegmentChanged],
) -> Verdict:
    moved = known is None or bool(messages)
    after = PersonCopy(
        person.profile_id,
        person.partition,
        person.version,
        person.sequence + moved,
        person.state,
        person.gone,
    )
    return Verdict(
        known,
        after,
        tuple(messages),
        None if person.gone else newest.packed,
        newest.erased,
        newest.traceparent,
        newest.snapshot.merged_from if newest.erased else (),
    )
