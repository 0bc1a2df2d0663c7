"""What becomes of a person's memberships: by a change, by time, by a new rule, by departure.

All pure: `now` is given, the copy of the person is given, the answer is a state and its flips.
"""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from services.segmentation.domain.mask import Mask, mask_of
from services.segmentation.domain.segment_set import Segment, SegmentSet
from services.segmentation.domain.settle import Before, Flip, Occasion, Reason, Settling
from services.segmentation.domain.state import Standing, State, earliest_flip
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Snapshot
from zhiyin.rules import Person

# After a long outage a rule may have flipped back and forth many times; each flip is told, up to
# this many instants, and what is left settles at once.
MOST_STEPS = 1000


class Decision(Struct, frozen=True):
    """The state from now on, and what was entered and left on the way, in order."""

    state: State
    flips: tuple[Flip, ...] = ()


def by_change(
    snapshot: Snapshot,
    changed: Iterable[str] | None,
    occasion: Occasion,
    before: Before,
    state: State,
    rules: SegmentSet,
    now: Instant,
) -> Decision:
    """The profile changed. `changed`: dependency names, None if not known (then everything is
    evaluated); `before`: the copy until now, or None for a person never seen."""
    settling = Settling(state, rules)
    _catch_up(settling, before, now)
    person = settling.person(snapshot)
    touched = _touched(person, changed, before, settling, now)
    settling.settle_where_open(person, touched, now, occasion, before)
    return Decision(settling.state, tuple(settling.flips))


def _touched(
    person: Person,
    changed: Iterable[str] | None,
    before: Before,
    settling: Settling,
    now: Instant,
) -> Mask:
    """The segments that the change may have moved: where the copy until now is at hand, by what
    differs."""
    rules = settling.rules
    if changed is None:
        return rules.everything
    copy = before()
    if copy is None:
        return rules.index.reading(changed)
    return rules.touching.touched(changed, settling.person(copy), person, now)


def by_time(snapshot: Snapshot, state: State, rules: SegmentSet, now: Instant) -> Decision:
    """Time passed: every flip due by `now` happens at its own instant, in order of instants."""
    settling = Settling(state, rules)
    _catch_up(settling, lambda: snapshot, now)
    for _ in range(MOST_STEPS):
        instant = earliest_flip(settling.standings)
        if instant is None or instant > now:
            # What is earliest now is what is due next: no need to look for it again.
            state = State(settling.revision, settling.standings, instant)
            return Decision(state, tuple(settling.flips))
        due = _due(settling.standings, rules, instant)
        settling.settle(snapshot, due, instant, Occasion("time", instant))
    due = _due(settling.standings, rules, now)
    settling.settle(snapshot, due, now, Occasion("time", now))
    return Decision(settling.state, tuple(settling.flips))


def by_rules(snapshot: Snapshot, state: State, rules: SegmentSet, now: Instant) -> Decision:
    """Segments came, went or changed their rule since the person was last looked at."""
    settling = Settling(state, rules)
    _catch_up(settling, lambda: snapshot, now)
    return Decision(settling.state, tuple(settling.flips))


def by_departure(state: State, occasion: Occasion) -> Decision:
    """The person is no more (merged away, erased): every segment is left."""
    settling = Settling(state, SegmentSet())
    for key in sorted(state.standings):
        settling.leave(key, occasion)
    return Decision(State(state.revision), tuple(settling.flips))


def _due(standings: dict[str, Standing], rules: SegmentSet, instant: Instant) -> Mask:
    return mask_of(
        rules.position[key]
        for key, standing in standings.items()
        if standing.next_flip is not None and standing.next_flip <= instant
    )


def _catch_up(settling: Settling, before: Before, now: Instant) -> None:
    """Bring the standings to the rules of today on the copy of yesterday, so that what a rule's
    coming changed is not taken for the doing of an event or of time."""
    rules = settling.rules
    if settling.revision >= rules.revision:
        return
    for key in sorted(settling.standings.keys() - rules.position.keys()):
        settling.leave(key, Occasion("rule", now))
    stale = rules.newer_than(settling.revision)
    settling.revision = rules.revision
    copy = before()
    if copy is None:
        return
    told = len(settling.flips)
    settling.settle_where_open(settling.person(copy), mask_of(stale), now, Occasion("rule", now))
    changed = {rules.ordered[place].key: rules.ordered[place] for place in stale}
    settling.flips[told:] = [
        _by_rule(flip, changed.get(flip.segment)) for flip in settling.flips[told:]
    ]


def _by_rule(flip: Flip, changed: Segment | None) -> Flip:
    """A segment's first version is a backfill, a later one a changed rule; and so is what makes
    those flip that read it (`changed` None)."""
    if changed is None:
        return flip
    reason: Reason = "backfill" if changed.version == 1 else "rule"
    return replace(flip, reason=reason, asked=changed.asked)
