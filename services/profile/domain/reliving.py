"""A life told again event by event, by the same fold and tag rules as the first time."""

from collections.abc import Iterator, Sequence
from typing import Final

from msgspec import Raw

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
from services.profile.domain.person_event import PersonEvent, event_order
from services.profile.domain.policy import Policy
from services.profile.domain.tag_set import TagSet
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Cause, encode
from zhiyin.contracts.replays import LOADED_LATER, UNKNOWN, Life, Step

_MOST_FLIPS: Final = 1_000  # of tags by time alone, between two events


def known_at(event: PersonEvent) -> Instant:
    """When the platform came to know of it. History that was loaded counts as if it had been there
    when it happened: there would be nothing to try otherwise."""
    late = event.received_at - event.at
    return event.received_at if 0 < late <= LOADED_LATER and not event.imported else event.at


def relive(
    profile_id: str,
    history: Sequence[PersonEvent],
    rules: TagSet,
    policy: Policy,
    since: Instant,
    until: Instant,
) -> Life:
    """The steps in [since, until), with the person as they stood at `since`."""
    ordered = sorted(history, key=lambda event: (known_at(event), event_order(event)))
    before: State | None = None
    steps: list[Step] = []
    for at, change in _changes(profile_id, ordered, World(rules, policy, 0), until):
        if at < since:
            before = change.after
        else:
            steps.append(_step(at, change))
    return Life(profile_id, UNKNOWN if before is None else _packed(before), steps)


def _changes(
    profile_id: str, ordered: Sequence[PersonEvent], world: World, until: Instant
) -> Iterator[tuple[Instant, Change]]:
    state: State | None = None
    told: list[PersonEvent] = []
    for event in ordered:
        at = known_at(event)
        if at >= until:
            break
        if state is not None:
            for ended in _by_time(state, world, at):
                state = ended[1].after
                yield ended
        told.append(event)
        now = World(world.rules, world.policy, at)
        change = _by_event(state or newborn(profile_id, at), event, told, now)
        state = change.after
        yield at, change
    if state is not None:
        yield from _by_time(state, world, until - 1)


def _by_event(
    state: State, event: PersonEvent, told: Sequence[PersonEvent], world: World
) -> Change:
    change = by_events(state, [event], world)
    return by_history(state, told, [event], world) if isinstance(change, NeedsHistory) else change


def _by_time(state: State, world: World, upto: Instant) -> Iterator[tuple[Instant, Change]]:
    """Tags that end, or begin, by time alone, each at its own instant."""
    for _ in range(_MOST_FLIPS):
        at = state.tagging.timer_at
        if at is None or at > upto:
            return
        now = World(world.rules, world.policy, at)
        settled = by_time(state, now)
        if settled.tags != state.snapshot.tags:
            change = without_events(state, settled, now)
            state = change.after
            yield at, change
        else:
            state = State(state.snapshot, settled.tagging)


def _step(at: Instant, change: Change) -> Step:
    return Step(
        at,
        _packed(change.after),
        (*sorted(change.changed), "profile"),
        change.tags_added,
        tuple(_cause(event, at) for event in change.cause),
    )


def _packed(state: State) -> Raw:
    return Raw(encode(state.snapshot))


def _cause(event: PersonEvent, at: Instant) -> Cause:
    """Nothing is history to somebody who was there."""
    return Cause(event.event_id, event.type, event.source, event.at, at, False, Raw(event.whole))
