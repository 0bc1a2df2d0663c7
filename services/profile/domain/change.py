"""What a batch of events, or the passing of time, makes of one person."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from services.profile.domain.differences import differences, differing
from services.profile.domain.fold import NeedsHistory, fold, refold
from services.profile.domain.packed import PackedFacts, PackedSnapshot, unpack
from services.profile.domain.person_event import PersonEvent, event_order
from services.profile.domain.policy import Policy
from services.profile.domain.stated_tags import after_statements
from services.profile.domain.tag_set import TAGS, TagSet
from services.profile.domain.tagging import NEVER_ASKED, Tagging
from services.profile.domain.tags import Occasion, Settled, Tags, holding, next_timer, settle
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot, Tag
from zhiyin.rules import touched


class World(Struct, frozen=True):
    """What decisions depend on besides the person."""

    rules: TagSet
    policy: Policy
    now: Instant


class State(Struct, frozen=True):
    """A person before or after a change."""

    snapshot: PackedSnapshot
    tagging: Tagging


class Afresh(Struct, frozen=True):
    """Whom tag rules are to be asked about anew: the tags they start with, which rules, and whether
    those with a `ttl` are among them."""

    tags: Tags
    tagging: Tagging = Tagging(NEVER_ASKED)
    ttl: bool = True

    @classmethod
    def of_part(cls, tags: Tags, world: "World") -> "Afresh":
        """All but those with a ttl, whose tags run from the event that brought them."""
        lasting = {rule.tag: world.now for rule in world.rules.rules if rule.ttl is None}
        return cls(tags, Tagging(world.rules.revision, lasting), ttl=False)


class Change(Struct, frozen=True):
    """`changed`: names of the facts and tags that may differ."""

    before: State
    after: State
    changed: frozenset[str]
    cause: tuple[PersonEvent, ...]

    @property
    def tags_added(self) -> tuple[str, ...]:
        return _new(self.before.snapshot.tags, self.after.snapshot.tags)

    @property
    def tags_removed(self) -> tuple[str, ...]:
        return _new(self.after.snapshot.tags, self.before.snapshot.tags)


def _new(old: Tags, new: Tags) -> tuple[str, ...]:
    return () if old == new else tuple(sorted(holding(new) - holding(old)))


def newborn(profile_id: str, now: Instant) -> State:
    """Somebody of whom nothing is known; no tag rule has been asked yet."""
    return State(PackedSnapshot(profile_id, 0, now, now), Tagging(NEVER_ASKED))


def by_events(state: State, events: Sequence[PersonEvent], world: World) -> Change | NeedsHistory:
    """New events of a person folded in."""
    ordered = sorted(events, key=event_order)
    folded = fold(state.snapshot.facts, ordered, world.policy)
    if isinstance(folded, NeedsHistory):
        return folded
    stepped = _each_alone(state, ordered, folded.changed, world)
    start = state if stepped is None else stepped
    return _settled(state, start, folded.facts, folded.changed, ordered, world, stepped is None)


def by_history(
    state: State,
    history: Iterable[PersonEvent],
    events: Sequence[PersonEvent],
    world: World,
    *,
    afresh: Afresh | None = None,
) -> Change:
    """The person as all their events tell; `events`: the new ones among them. `afresh`: this is no
    longer quite the same person."""
    everything = sorted(history, key=event_order)
    facts = refold(everything, world.policy, state.snapshot.facts.unlinked)
    changed = differences(state.snapshot.facts, facts)
    changed |= {f"events.{event.type}" for event in events}
    start, ask_ttl = state, afresh is None or afresh.ttl
    if afresh is not None:
        tags = afresh.tags
        changed |= {f"{TAGS}{name}" for name in state.snapshot.tags.keys() | tags.keys()}
        for event in everything:
            tags = after_statements(tags, event)
        start = State(_with(state.snapshot, facts, tags), afresh.tagging)
    return _settled(state, start, facts, changed, sorted(events, key=event_order), world, ask_ttl)


def by_time(state: State, world: World) -> Settled:
    """The person's tags after time, or a change of the rules, alone."""
    snapshot = _plain(state.snapshot, state.snapshot.facts, state.snapshot.tags)
    occasion = Occasion(world.now, world.now, frozenset(), by_event=False)
    return settle(snapshot, state.tagging, world.rules, occasion)


def without_events(state: State, settled: Settled, world: World) -> Change:
    """What is told when tags have changed though nothing was heard of the person."""
    return _change(state, state.snapshot.facts, settled, (), world)


def _each_alone(
    state: State, events: Sequence[PersonEvent], changed: frozenset[str], world: World
) -> State | None:
    """A tag with a ttl is set by the event that makes its rule match, even if the next event of the
    same batch ends that; so where such rules are concerned each event is looked at alone."""
    if len(events) < 2 or not world.rules.rules:
        return None
    names = touched(changed)
    if not any(rule.ttl is not None and rule.concerned(names) for rule in world.rules.rules):
        return None
    for event in events:
        folded = fold(state.snapshot.facts, (event,), world.policy)
        if isinstance(folded, NeedsHistory):
            return None
        at = min(folded.facts.newest, world.now)
        tags = after_statements(state.snapshot.tags, event)
        occasion = Occasion(at, at, folded.changed, by_event=True)
        settled = settle(
            _plain(state.snapshot, folded.facts, tags), state.tagging, world.rules, occasion
        )
        state = State(_with(state.snapshot, folded.facts, settled.tags), settled.tagging)
    return state


def _settled(
    before: State,
    start: State,
    facts: PackedFacts,
    changed: frozenset[str],
    events: Sequence[PersonEvent],
    world: World,
    ask_ttl: bool,
) -> Change:
    tags = start.snapshot.tags
    for event in events:
        tags = after_statements(tags, event)
    if tags is not before.snapshot.tags:
        changed |= {f"{TAGS}{name}" for name in differing(before.snapshot.tags, tags)}
    if _idle(start.tagging, tags, changed, world):
        tagging = Tagging(
            world.rules.revision, start.tagging.flips, next_timer(tags, start.tagging.flips)
        )
        return _change(before, facts, Settled(tags, tagging, changed), events, world)
    matched_at = min(world.now, max((event.at for event in events), default=world.now))
    occasion = Occasion(world.now, matched_at, changed, by_event=ask_ttl)
    settled = settle(_plain(start.snapshot, facts, tags), start.tagging, world.rules, occasion)
    return _change(before, facts, settled, events, world)


def _idle(tagging: Tagging, tags: Tags, changed: frozenset[str], world: World) -> bool:
    """Whether no tag can change, so that the facts need not be unpacked."""
    if not world.rules.rules and not tags:
        return True
    if tagging.revision != world.rules.revision:
        return False
    due = next_timer(tags, tagging.flips)
    if due is not None and due <= world.now:
        return False
    names = touched(changed)
    return not any(rule.concerned(names) for rule in world.rules.rules)


def _change(
    before: State, facts: PackedFacts, settled: Settled, events: Sequence[PersonEvent], world: World
) -> Change:
    old = before.snapshot
    snapshot = PackedSnapshot(
        old.profile_id,
        old.version + 1,
        old.created_at,
        max(world.now, old.updated_at),
        facts,
        settled.tags,
        old.merged_from,
        old.not_linking,
    )
    return Change(before, State(snapshot, settled.tagging), settled.changed, tuple(events))


def _with(snapshot: PackedSnapshot, facts: PackedFacts, tags: dict[str, Tag]) -> PackedSnapshot:
    return PackedSnapshot(
        snapshot.profile_id,
        snapshot.version,
        snapshot.created_at,
        snapshot.updated_at,
        facts,
        tags,
        snapshot.merged_from,
        snapshot.not_linking,
    )


def _plain(packed: PackedSnapshot, facts: PackedFacts, tags: dict[str, Tag]) -> Snapshot:
    """As rules read it: the version the person is about to have."""
    return Snapshot(
        packed.profile_id,
        packed.version + 1,
        packed.created_at,
        packed.updated_at,
        unpack(facts),
        tags,
        packed.merged_from,
        packed.not_linking,
    )
