"""What becomes of a person's memberships by events, by time, by rules and by departure."""

import uuid

import pytest

from services.segmentation.domain.arrival import follow
from services.segmentation.domain.changes import derived_id
from services.segmentation.domain.decide import by_rules, by_time
from services.segmentation.domain.mask import places
from services.segmentation.domain.order import SegmentCycle, settle_order
from services.segmentation.domain.person import PersonCopy, Verdict
from services.segmentation.domain.ready_segments.shelf import LIBRARY
from services.segmentation.domain.segment_set import Definition, SegmentSet, build_set
from services.segmentation.domain.state import State, decode_state, encode_state
from services.segmentation.pipeline import verdict_of
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
from zhiyin.rules import Options


def after(
    life: Life,
    *news: Happening,
    rules: SegmentSet,
    known: PersonCopy | None = None,
    now: Instant = NOW,
    stored: bytes | None = None,
) -> Verdict:
    verdict = follow(known, stored, [life.arrival(*news)], rules, now)
    assert verdict is not None
    return verdict


def told(verdict: Verdict) -> list[tuple[str, str, str]]:
    return [(one.segment, one.change, one.cause) for one in verdict.told]


def test_an_event_that_makes_a_rule_true_enters_the_segment_with_its_time_and_id() -> None:
    event = purchase(NOW - 100 * DAY)
    verdict = after(Life().then(event), event, rules=rules_of({"dormant": DORMANT}))
    (change,) = verdict.told
    assert (change.change, change.cause) == ("entered", "event")
    assert (change.at, change.decided_at) == (event.at, NOW)
    assert change.event_ids == (event.event_id,)


def test_only_segments_reading_what_changed_are_evaluated() -> None:
    rules = rules_of({"dormant": DORMANT, "hangzhou": IN_HANGZHOU, "keen": KEEN})
    names = [rules.ordered[place].key for place in places(rules.index.reading(["attributes.city"]))]
    assert names == ["hangzhou"]
    assert len(places(rules.index.reading(["attributes"]))) == 1
    assert not rules.index.reading(["consents.marketing.sms"])


def test_ninety_days_after_the_last_order_time_enters_at_the_flip_itself() -> None:
    rules = rules_of({"dormant": DORMANT})
    event = purchase(NOW)
    life = Life().then(event)
    verdict = after(life, event, rules=rules)
    due = verdict.after.state.next_due
    assert verdict.told == ()
    assert due is not None
    late = by_time(life.snapshot, verdict.after.state, rules, due + 5 * HOUR)
    (flip,) = late.flips
    assert (flip.entered, flip.reason, flip.at) == (True, "time", due)
    assert due - (NOW + 90 * DAY) in (0, 1)


def test_time_tells_every_flip_that_was_missed_each_at_its_instant() -> None:
    rules = rules_of(
        {
            "window": {
                "all": [
                    {"fact": "orders.first_at", "op": "older_than", "value": "7d"},
                    {"fact": "orders.first_at", "op": "newer_than", "value": "30d"},
                ]
            }
        }
    )
    event = purchase(NOW)
    life = Life().then(event)
    state = after(life, event, rules=rules).after.state
    flips = by_time(life.snapshot, state, rules, NOW + 300 * DAY).flips
    assert [flip.entered for flip in flips] == [True, False]
    assert flips[1].at - flips[0].at in range(23 * DAY - 2, 23 * DAY + 3)


def test_a_segment_over_a_segment_settles_after_it() -> None:
    rules = rules_of(
        {
            "a-both": {"all": [{"segment": "z-dormant"}, IN_HANGZHOU]},
            "b-not": {"not": {"segment": "a-both"}},
            "z-dormant": DORMANT,
        }
    )
    news = (purchase(NOW - 100 * DAY), move(NOW - DAY, "杭州"))
    verdict = after(Life().then(*news), *news, rules=rules)
    assert verdict.after.state.members == {"a-both", "z-dormant"}
    assert told(verdict) == [("z-dormant", "entered", "event"), ("a-both", "entered", "event")]


def test_time_carries_through_segments_over_segments() -> None:
    rules = rules_of({"z": DORMANT, "a": {"not": {"segment": "z"}}})
    event = purchase(NOW)
    life = Life().then(event)
    state = after(life, event, rules=rules).after.state
    flips = by_time(life.snapshot, state, rules, NOW + 91 * DAY).flips
    assert [(flip.segment, flip.entered) for flip in flips] == [("z", True), ("a", False)]
    assert flips[0].at == flips[1].at


def test_segments_in_a_circle_are_named() -> None:
    with pytest.raises(SegmentCycle) as refused:
        settle_order(
            {
                "a": frozenset({"segments.b"}),
                "b": frozenset({"segments.c"}),
                "c": frozenset({"segments.a"}),
                "d": frozenset({"segments.a"}),
            }
        )
    assert refused.value.path[0] == refused.value.path[-1]
    assert set(refused.value.path) == {"a", "b", "c"}


def test_an_older_version_is_dropped_and_a_gap_evaluates_everything() -> None:
    rules = rules_of({"hangzhou": IN_HANGZHOU, "dormant": DORMANT})
    bought, moved = purchase(NOW - 100 * DAY), move(NOW, "杭州")
    first = Life().then(bought)
    known = after(first, bought, rules=rules).after
    assert follow(known, None, [first.arrival(bought)], rules, NOW) is None
    unseen = first.then(moved).then(view(NOW))
    verdict = after(unseen, view(NOW), rules=rules, known=known)
    assert verdict.after.state.members == {"hangzhou", "dormant"}


def test_imported_events_say_so_only_if_all_of_them_are() -> None:
    rules = rules_of({"dormant": DORMANT})
    old = purchase(NOW - 100 * DAY, imported=True)
    mixed = (old, view(NOW))
    (history,) = after(Life().then(old), old, rules=rules).told
    (live,) = after(Life().then(*mixed), *mixed, rules=rules).told
    assert (history.imported, live.imported) == (True, False)


def test_message_ids_are_the_same_on_every_retry() -> None:
    rules = rules_of({"dormant": DORMANT})
    event = purchase(NOW - 100 * DAY)
    life = Life().then(event)
    (once,), (again,) = (after(life, event, rules=rules, now=now).told for now in (NOW, NOW + DAY))
    assert once.message_id == again.message_id


def test_a_new_segment_is_entered_by_backfill_and_not_by_the_event_that_came_first() -> None:
    bought = purchase(NOW - 100 * DAY)
    life = Life().then(bought)
    known = after(life, bought, rules=rules_of({"hangzhou": IN_HANGZHOU})).after
    rules = build_set(
        2,
        [Definition("hangzhou", 1, 1, IN_HANGZHOU), Definition("dormant", 1, 2, DORMANT)],
        Options(),
        SegmentSet(),
    )
    again = purchase(NOW)
    verdict = after(life.then(again), again, rules=rules, known=known, stored=encode(life.snapshot))
    assert told(verdict) == [("dormant", "entered", "backfill"), ("dormant", "left", "event")]


def test_a_new_rule_and_a_deleted_segment_move_people_with_cause_rule() -> None:
    bought = purchase(NOW - 100 * DAY)
    life = Life().then(bought)
    known = after(life, bought, rules=rules_of({"dormant": DORMANT, "gone": DORMANT})).after
    rules = build_set(2, [Definition("dormant", 2, 2, IN_HANGZHOU)], Options(), SegmentSet())
    decision = by_rules(life.snapshot, known.state, rules, NOW)
    assert [(one.segment, one.entered, one.reason) for one in decision.flips] == [
        ("gone", False, "rule"),
        ("dormant", False, "rule"),
    ]
    assert decision.state.revision == 2
    assert by_rules(life.snapshot, decision.state, rules, NOW).flips == ()


def test_a_merged_away_or_erased_person_leaves_everything() -> None:
    rules = rules_of({"dormant": DORMANT})
    bought = purchase(NOW - 100 * DAY)
    life = Life().then(bought)
    known = after(life, bought, rules=rules).after
    for reason, arrival in (
        ("merge", life.then().arrival(merged=True)),
        ("erasure", life.then().arrival(erased=True)),
    ):
        verdict = follow(known, None, [arrival], rules, NOW)
        assert verdict is not None
        assert told(verdict) == [("dormant", "left", reason)]
        assert verdict.after.gone
        assert verdict.after.state.next_due is None
        assert follow(verdict.after, None, [life.arrival(bought)], rules, NOW) is None


def test_what_time_had_brought_before_an_event_is_told_as_time() -> None:
    rules = rules_of(
        {"dormant": {"all": [DORMANT, {"fact": "orders.count", "op": "gte", "value": 1}]}}
    )
    bought = purchase(NOW - 90 * DAY - HOUR)
    life = Life().then(bought)
    known = after(life, bought, rules=rules, now=NOW - 2 * HOUR).after
    # A refund-like change of `orders` arrives after the flip, before its timer has fired.
    echo = purchase(bought.at - DAY)
    verdict = after(life.then(echo), echo, rules=rules, known=known, stored=encode(life.snapshot))
    (change,) = verdict.told
    assert (change.cause, change.at) == ("time", known.state.next_due)


def test_state_survives_packing() -> None:
    rules = rules_of({spec.key: spec.rule for spec in LIBRARY})
    bought = purchase(NOW - 100 * DAY)
    state = after(Life().then(bought), bought, rules=rules).after.state
    assert decode_state(encode_state(state)) == state
    assert decode_state(encode_state(State())) == State()
    decision = by_time(Life().then(bought).snapshot, state, rules, NOW)
    assert verdict_of(PersonCopy("p", 0, 1, 1, state), decision, NOW).told == ()


def test_the_id_of_a_change_is_the_uuid_of_its_name() -> None:
    namespace = uuid.UUID("5d0f6b8e-3c44-5d5b-9c51-6f1f1e2a7b90")
    for name in ("p/s/1/7/1/event/entered", "阿/膠", ""):
        assert derived_id(name) == str(uuid.uuid5(namespace, name))
