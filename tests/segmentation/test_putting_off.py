"""A change that only puts off the day on which somebody moves asks no rule, and that day stays
exact."""

from collections import Counter

import pytest

from services.segmentation.domain.arrival import follow
from services.segmentation.domain.decide import by_time
from services.segmentation.domain.person import PersonCopy, Verdict
from services.segmentation.domain.segment_set import SegmentSet
from tests.segmentation.people import (
    DORMANT,
    IN_HANGZHOU,
    NOW,
    Happening,
    Life,
    move,
    purchase,
    rules_of,
)
from tests.segmentation.years import counting
from zhiyin.contracts.instants import DAY, HOUR, Instant
from zhiyin.contracts.profiles import encode

WAITING = {
    "aged": DORMANT,
    "scored": {"fact": "rfm.class", "op": "in", "value": ["dormant", "churn_warning"]},
    "staged": {"fact": "lifecycle.stage", "op": "eq", "value": "dormant"},
    "unseen": {"last": {"event": "purchase.completed"}, "older_than": "60d"},
    "fresh": {"last": {"event": "purchase.completed"}, "newer_than": "7d"},
}
FIRST = tuple(purchase(NOW + turn * DAY) for turn in range(6))


def after(
    life: Life, news: Happening, known: PersonCopy | None, rules: SegmentSet, stored: bytes | None
) -> Verdict:
    verdict = follow(known, stored, [life.arrival(news)], rules, news.at)
    assert verdict is not None
    return verdict


def buys_again(rules: SegmentSet, at: Instant) -> tuple[Life, PersonCopy, Verdict]:
    """Who has bought six times in six days buys once more."""
    life = Life().then(*FIRST)
    known = after(life, FIRST[-1], None, rules, None).after
    again = purchase(at)
    later = life.then(again)
    return later, known, after(later, again, known, rules, encode(life.snapshot))


@pytest.mark.parametrize("key", WAITING)
def test_who_buys_again_is_not_asked_whether_they_have_stopped(key: str) -> None:
    evaluated: Counter[str] = Counter()
    rules = counting({key: WAITING[key]}, evaluated)
    evaluated.clear()
    _, known, verdict = buys_again(rules, NOW + 6 * DAY)
    assert evaluated[key] == 1  # the first time they were seen
    assert verdict.told == ()
    assert verdict.after.state.next_due == known.state.next_due


@pytest.mark.parametrize("key", WAITING)
def test_at_the_old_instant_nothing_happens_and_at_the_true_one_they_move(key: str) -> None:
    rules = rules_of({key: WAITING[key]})
    life, known, verdict = buys_again(rules, NOW + 6 * DAY)
    early = known.state.next_due
    assert early is not None
    asked = by_time(life.snapshot, verdict.after.state, rules, early)
    assert asked.flips == ()
    assert asked.state.next_due == early + DAY
    (flip,) = by_time(life.snapshot, asked.state, rules, early + DAY).flips
    assert (flip.at, flip.reason) == (early + DAY, "time")


def test_what_brings_the_day_nearer_is_asked_at_once() -> None:
    rules = rules_of({"aged": DORMANT})
    life, _, verdict = buys_again(rules, NOW + 6 * DAY)
    undone = Life(happenings=FIRST, version=life.version + 1)
    news = purchase(NOW + 7 * DAY)  # says that orders changed, as a cancellation does
    back = after(undone, news, verdict.after, rules, encode(life.snapshot))
    assert back.after.state.next_due == FIRST[-1].at + 90 * DAY + 1


def test_a_flip_that_nobody_told_in_time_is_dated_to_the_true_instant_not_to_the_old_one() -> None:
    rules = rules_of({"either": {"any": [DORMANT, IN_HANGZHOU]}})
    life, known, verdict = buys_again(rules, NOW + 6 * DAY)
    early = known.state.next_due
    assert early is not None
    late = move(early + DAY + HOUR, "杭州")
    told = after(life.then(late), late, verdict.after, rules, encode(life.snapshot))
    assert [(one.cause, one.at) for one in told.told] == [("time", early + DAY)]
