"""Over a year on a clock of its own: who is in is who should be, and nothing is asked in vain."""

from collections import Counter
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.segmentation.domain.ready_segments.shelf import LIBRARY
from tests.builders import START
from tests.rules.strategies import rules
from tests.segmentation.people import rules_of
from tests.segmentation.plainly import members
from tests.segmentation.years import YEAR, Followed, a_year, counting
from zhiyin.contracts.instants import DAY, instant

READY: dict[str, Any] = {one.key: one.rule for one in LIBRARY}
IN_ORDER = {one.key: READY[one.key] for one in rules_of(READY).ordered}
seeds = st.integers(0, 10**9).map(Random)


def followed_and_compared(random: Random, rules: dict[str, Any], instants: int) -> Followed:
    """Differences from a recompute out of the raw events, at instants by chance and at flips."""
    evaluated: Counter[str] = Counter()
    followed = Followed(counting(rules, evaluated), evaluated)
    events = a_year(random)
    checks = sorted(START + random.randrange(YEAR // DAY + 60) * DAY for _ in range(instants))
    done = 0
    for check in checks:
        while done < len(events) and instant(events[done].occurred_at) <= check:
            followed.happens(events[done])
            done += 1
        if done == 0:
            continue  # nobody knows of the person yet
        followed.time_passes(check)
        assert followed.members == members(events[:done], rules, check)
        if followed.known is not None and (due := followed.known.state.next_due) is not None:
            assert due > check
    return followed


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_every_segment_of_the_library_holds_whom_the_raw_events_say(random: Random) -> None:
    followed_and_compared(random, IN_ORDER, 12)


@settings(max_examples=40, deadline=None)
@given(seeds, st.lists(rules, min_size=1, max_size=6))
def test_generated_segments_hold_whom_the_raw_events_say(
    random: Random, trees: list[dict[str, Any]]
) -> None:
    generated = {f"g{place}": tree for place, tree in enumerate(trees)}
    followed_and_compared(random, generated, 12)


def test_evaluations_are_within_three_times_the_flips_and_events() -> None:
    """`Followed` checks besides that an event evaluates only what reads something it changed."""
    random = Random(11)
    evaluations, flips, firings, events = 0, 0, 0, 0
    for _ in range(15):
        evaluated: Counter[str] = Counter()
        followed = Followed(counting(IN_ORDER, evaluated), evaluated)
        life = a_year(random)
        for event in life:
            followed.happens(event)
        followed.time_passes(START + YEAR)
        evaluations += sum(evaluated.values())
        flips += followed.flips
        firings += followed.firings
        events += len(life)
    assert evaluations <= 3 * (flips + events)
    assert firings <= flips + events
    assert flips > 150
