"""Memberships kept step by step equal memberships worked out from nothing, at any instant."""

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from services.segmentation.domain.arrival import follow, needs_snapshot
from services.segmentation.domain.decide import by_time
from services.segmentation.domain.person import PersonCopy
from services.segmentation.domain.segment_set import SegmentSet
from services.segmentation.domain.settle import Flip
from tests.segmentation.people import (
    DORMANT,
    IN_HANGZHOU,
    KEEN,
    NOW,
    Happening,
    Life,
    move,
    purchase,
    rules_of,
    view,
)
from zhiyin.contracts.instants import DAY, HOUR, Instant
from zhiyin.contracts.profiles import encode
from zhiyin.rules import Person

RULES = rules_of(
    {
        "dormant": DORMANT,
        "hangzhou": IN_HANGZHOU,
        "keen": KEEN,
        "class": {"fact": "rfm.class", "op": "in", "value": ["churn_warning", "new_or_small"]},
        "stage": {"fact": "lifecycle.stage", "op": "in", "value": ["new", "one_time", "dormant"]},
        "window": {
            "all": [
                {"first": {"event": "purchase.completed"}, "older_than": "7d"},
                {"first": {"event": "purchase.completed"}, "newer_than": "30d"},
            ]
        },
        "spent": {
            "sum": {"event": "purchase.completed", "property": "total", "within": "60d"},
            "op": "gte",
            "value": 250,
        },
        "quiet": {"not": {"segment": "keen"}},
        "both": {"all": [{"segment": "dormant"}, {"segment": "quiet"}, IN_HANGZHOU]},
        "either": {"any": [{"segment": "window"}, {"segment": "both"}]},
    }
)


def from_nothing(life: Life, rules: SegmentSet, now: Instant) -> set[str]:
    members: set[str] = set()
    for segment in rules.ordered:
        if segment.compiled.evaluate(Person(life.snapshot, members), now).matches:
            members.add(segment.key)
    return members


@dataclass
class Followed:
    """A life followed step by step on a clock of its own."""

    rules: SegmentSet
    now: Instant = NOW
    life: Life = field(default_factory=Life)
    known: PersonCopy | None = None
    flips: list[tuple[str, bool, Instant]] = field(default_factory=list)

    def happens(self, event: Happening) -> None:
        stored = encode(self.life.snapshot) if self.known else None
        self.life = self.life.then(event)
        wanted = self.known is not None and needs_snapshot(self.known, self.rules, self.now)
        verdict = follow(
            self.known,
            stored if wanted else None,
            [self.life.arrival(event)],
            self.rules,
            self.now,
        )
        assert verdict is not None
        self.known = verdict.after
        self.flips += [(one.segment, one.change == "entered", one.at) for one in verdict.told]

    def time_passes(self, until: Instant, *, punctual: bool) -> None:
        """Timers fire one after the other as they fall due, or all at once at the end."""
        self.now = until
        while self.known is not None:
            due = self.known.state.next_due
            if due is None or due > until:
                return
            at = due if punctual else until
            decision = by_time(self.life.snapshot, self.known.state, self.rules, at)
            self.known = PersonCopy("p-1", 0, self.known.version, 0, decision.state)
            self._note(decision.flips)

    def _note(self, flips: tuple[Flip, ...]) -> None:
        self.flips += [(one.segment, one.entered, one.at) for one in flips]


steps = st.lists(
    st.tuples(
        st.sampled_from(["purchase", "view", "move", "wait"]),
        st.integers(0, 45 * 24),
        st.integers(0, 100),
        st.booleans(),
    ),
    max_size=14,
)


def happening(kind: str, at: Instant, dice: int) -> Happening:
    if kind == "purchase":
        return purchase(at, total=2_000 * (dice + 1))
    if kind == "view":
        return view(at, "健身" if dice % 3 else "茶")
    return move(at, "杭州" if dice % 2 else "上海")


@settings(max_examples=150, deadline=None)
@given(steps)
def test_at_any_instant_memberships_equal_a_recompute(
    steps: list[tuple[str, int, int, bool]],
) -> None:
    followed = Followed(RULES)
    for kind, hours, dice, punctual in steps:
        followed.time_passes(followed.now + hours * HOUR + dice, punctual=punctual)
        if kind != "wait":
            # What arrives may have happened up to a hundred days earlier.
            age = (dice * DAY) if punctual else 0
            followed.happens(happening(kind, followed.now - age, dice))
        if followed.known is None:
            continue
        members = followed.known.state.members
        assert members == from_nothing(followed.life, RULES, followed.now)
        assert followed.known.state.next_due is None or followed.known.state.next_due > followed.now
    _entered_and_left_take_turns(followed)


def _entered_and_left_take_turns(followed: Followed) -> None:
    inside: set[str] = set()
    for segment, entered, _ in followed.flips:
        assert entered != (segment in inside)
        (inside.add if entered else inside.discard)(segment)
    assert followed.known is None or inside == followed.known.state.members


@settings(max_examples=60, deadline=None)
@given(steps)
def test_timers_that_fire_late_tell_the_same_flips_as_punctual_ones(
    steps: list[tuple[str, int, int, bool]],
) -> None:
    told = []
    for punctual in (True, False):
        followed = Followed(RULES)
        for kind, hours, dice, _ in steps:
            followed.time_passes(followed.now + hours * HOUR, punctual=punctual)
            if kind != "wait":
                followed.happens(happening(kind, followed.now, dice))
        told.append(followed.flips)
    assert told[0] == told[1]
