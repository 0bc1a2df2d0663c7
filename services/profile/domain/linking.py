"""What a profile says about identifiers: which of those seen with the person do not link, and why;
and what becomes of that, and of tags and former ids, when people become one."""

from collections.abc import Collection, Iterable, Mapping
from typing import Final

from msgspec.structs import replace

from services.profile.domain.change import State
from services.profile.domain.packed import PackedFacts, PackedSnapshot
from services.profile.domain.party import Party
from services.profile.domain.person_event import Identifier, PersonEvent
from services.profile.domain.tags import together
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.not_linking import PARTED, SHARED, NotLinking

_MOST_NOTES: Final = 50


def name_of(identifier: Identifier) -> str:
    return f"{identifier[0]}:{identifier[1]}"


def noted(state: State, party: Party, now: Instant) -> State:
    """With what this batch found out about identifiers seen with the person."""
    known = state.snapshot.not_linking
    new = {
        name_of(identifier): NotLinking(reason, now, _shown(identifier, state, party))
        for identifier, reason in party.notes.items()
        if (old := known.get(name_of(identifier))) is None or old.reason != reason
    }
    if not new:
        return state
    snapshot = replace(state.snapshot, not_linking=_newest({**known, **new}))
    parted = [each for each, reason in party.notes.items() if reason == PARTED]
    return State(without(snapshot, parted, now), state.tagging)


def without(snapshot: PackedSnapshot, lost: Iterable[Identifier], at: Instant) -> PackedSnapshot:
    """The person without identifiers that are found to be somebody else's."""
    facts = snapshot.facts
    names = {each: facts.unlinked.get(name_of(each), at) for each in lost}
    if not names:
        return snapshot
    notes = {
        name_of(each): NotLinking(
            PARTED, since, facts.identifiers.get(each[0], {}).get(each[1], "")
        )
        for each, since in names.items()
        if name_of(each) not in snapshot.not_linking
    }
    return replace(
        snapshot,
        facts=_unnamed(facts, {name_of(each): since for each, since in names.items()}),
        not_linking=_newest({**snapshot.not_linking, **notes}),
    )


def of_part(
    snapshot: PackedSnapshot, old: PackedSnapshot, events: Iterable[PersonEvent]
) -> PackedSnapshot:
    """A part of the `old` person with the notes on identifiers that its own events name."""
    named = {name_of(each) for one in events for each in one.identifiers}
    unlinked = {name: at for name, at in old.facts.unlinked.items() if name in named}
    return replace(
        snapshot,
        facts=replace(snapshot.facts, unlinked=unlinked),
        not_linking={name: note for name, note in old.not_linking.items() if name in named},
    )


def as_one(
    state: State, absorbed: Iterable[PackedSnapshot], owned: Collection[Identifier]
) -> State:
    """The kept person with the tags, former ids and notes of those merged into them. `owned`: the
    identifiers of all of them together."""
    snapshot = state.snapshot
    unlinked, notes = dict(snapshot.facts.unlinked), dict(snapshot.not_linking)
    for gone in absorbed:
        unlinked |= gone.facts.unlinked
        notes |= gone.not_linking
        snapshot = replace(
            snapshot,
            version=max(snapshot.version, gone.version),
            tags=together(snapshot.tags, gone.tags),
            merged_from=(*snapshot.merged_from, gone.profile_id, *gone.merged_from),
        )
    names = set(map(name_of, owned))
    snapshot = replace(
        snapshot,
        facts=replace(
            snapshot.facts,
            unlinked={name: at for name, at in unlinked.items() if name not in names},
        ),
        not_linking=_newest(
            {
                name: note
                for name, note in notes.items()
                if name not in names or note.reason == SHARED
            }
        ),
    )
    return State(snapshot, state.tagging)


def _shown(identifier: Identifier, state: State, party: Party) -> str:
    namespace, token = identifier
    for event in party.events:
        if identifier in event.identifiers:
            return event.masks.get(namespace, "")
    return state.snapshot.facts.identifiers.get(namespace, {}).get(token, "")


def _unnamed(facts: PackedFacts, lost: Mapping[str, Instant]) -> PackedFacts:
    identifiers = {
        namespace: {
            token: shown for token, shown in held.items() if f"{namespace}:{token}" not in lost
        }
        for namespace, held in facts.identifiers.items()
    }
    return replace(
        facts,
        identifiers={namespace: held for namespace, held in identifiers.items() if held},
        unlinked={**facts.unlinked, **lost},
    )


def _newest(notes: dict[str, NotLinking]) -> dict[str, NotLinking]:
    """Bounded, so that a busy tablet's user has no endless profile."""
    if len(notes) <= _MOST_NOTES:
        return notes
    order = sorted(notes.items(), key=lambda each: (each[1].at, each[0]))
    return dict(order[-_MOST_NOTES:])
