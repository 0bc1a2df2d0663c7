"""What the fine print of the rule language means, one claim a test."""

from typing import Any

import pytest

from tests.builders import (
    START,
    a_browse,
    a_cancellation,
    a_purchase,
    a_rating,
    a_refund,
    a_ticket,
    an_event,
    an_item,
    an_update,
)
from tests.people import person_of
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, Instant
from zhiyin.contracts.profiles import EXACT_WINDOW, Seen, Tag
from zhiyin.rules import Verdict, compile_rule, parse

BUYING = {"event": "purchase.completed"}


def evaluated(rule: Any, events: list[Event], now: Instant = START, **rest: Any) -> Verdict:
    return compile_rule(parse(rule)).evaluate(person_of(events, **rest), now)


def holds(rule: Any, events: list[Event], now: Instant = START, **rest: Any) -> bool:
    return evaluated(rule, events, now, **rest).matches


def about(fact: str, op: str, value: Any = None) -> dict[str, Any]:
    return {"fact": fact, "op": op} | ({} if value is None else {"value": value})


def test_within_reaches_to_the_microsecond_and_older_than_begins_after_it() -> None:
    bought = [a_purchase(START)]
    edge = START + 90 * DAY
    recent = {"last": BUYING, "newer_than": "90d"}
    dormant = {"last": BUYING, "older_than": "90d"}
    counted = {"count": BUYING | {"within": "90d"}, "op": "gte", "value": 1}
    assert evaluated(recent, bought, edge) == (True, edge + 1)
    assert evaluated(counted, bought, edge) == (True, edge + 1)
    assert evaluated(dormant, bought, edge) == (False, edge + 1)
    assert not holds(recent, bought, edge + 1)
    assert not holds(counted, bought, edge + 1)
    assert evaluated(dormant, bought, edge + 1) == (True, None)


def test_what_never_happened_has_no_age() -> None:
    assert evaluated({"last": BUYING, "older_than": "90d"}, []) == (False, None)
    assert evaluated({"first": BUYING, "newer_than": "90d"}, []) == (False, None)


def test_an_event_ahead_of_the_clock_counts_from_its_instant_on() -> None:
    ahead = [a_browse(START + 5)]
    rule = {"count": {"event": "browse.viewed"}, "op": "gte", "value": 1}
    assert evaluated(rule, ahead) == (False, START + 5)
    assert evaluated(rule, ahead, START + 5) == (True, None)


def test_counts_are_over_events_as_posted_while_orders_leave_cancelled_ones_out() -> None:
    events = [
        a_purchase(START, total="100", order_id="O-1"),
        a_purchase(START, total="80", order_id="O-2"),
        a_cancellation(START, order_id="O-1"),
        a_refund(START, order_id="O-2", amount="30"),
    ]
    assert holds({"count": BUYING, "op": "eq", "value": 2}, events)
    assert holds({"sum": BUYING | {"property": "total"}, "op": "eq", "value": "180.00"}, events)
    assert holds(about("orders.count", "eq", 1), events)
    assert holds(about("orders.total", "eq", "50"), events)


def test_a_condition_on_a_purchase_is_also_met_by_any_of_its_items() -> None:
    items = [an_item("A", category="坚果"), an_item("B", category="果干", quantity=3)]
    bought = [a_purchase(items=items, total="60.00", channel="store")]
    met = [{"category": "果干"}, {"channel": "store"}, {"category": ["护肤", "坚果"]}]
    met += [{"quantity": {"gte": 3}}, {"total": {"gte": 60, "lt": "60.01"}}, {"total": "60"}]
    met += [
        {"category": {"ne": "护肤"}, "sku": {"starts_with": "A"}},
        {"store_id": {"missing": True}},
    ]
    missed = [{"category": "护肤"}, {"category": {"ne": "坚果"}}, {"total": {"gt": 60}}]
    for where, expected in [(w, True) for w in met] + [(w, False) for w in missed]:
        rule = {"count": BUYING | {"where": where}, "op": "gte", "value": 1}
        assert holds(rule, bought) is expected, where


def test_the_quantity_of_a_category_is_summed_over_its_items_alone() -> None:
    items = [an_item("A", category="坚果", quantity=2), an_item("B", category="果干", quantity=5)]
    rule = {
        "sum": BUYING | {"where": {"category": "坚果"}, "property": "quantity"},
        "op": "eq",
        "value": 2,
    }
    assert holds(rule, [a_purchase(items=items)])


def test_cents_add_up_exactly() -> None:
    bought = [a_purchase(START + turn, total=0.1) for turn in range(3)]
    rule = {"sum": BUYING | {"property": "total"}, "op": "eq", "value": 0.3}
    assert holds(rule, bought, START + 2)


def test_a_streak_ends_at_the_first_event_that_does_not_match() -> None:
    looked = [a_browse(START + turn, category="健身") for turn in range(3)]
    rule = {
        "streak": {"event": "browse.viewed", "where": {"category": "健身"}},
        "op": "gte",
        "value": 3,
    }
    assert holds(rule, looked, START + 2)
    assert not holds(rule, [*looked, a_browse(START + 3, category="护肤")], START + 3)
    searched = an_event("browse.searched", START + 3, query="瑜伽垫")
    assert holds(rule, [*looked, searched], START + 3)


def test_a_tag_holds_until_its_end_and_flips_there() -> None:
    tags = {"fan": Tag(START, START + DAY, "rule:fan"), "vip": Tag(START, None, "manual:lee")}
    assert evaluated({"tag": "fan"}, [], tags=tags) == (True, START + DAY)
    assert evaluated({"tag": "fan"}, [], START + DAY, tags=tags) == (False, None)
    assert evaluated(about("tags", "any_of", ["fan"]), [], tags=tags) == (True, START + DAY)
    assert evaluated(about("tags", "all_of", ["fan", "vip"]), [], tags=tags) == (True, START + DAY)
    assert evaluated(about("tags", "contains", "vip"), [], tags=tags) == (True, None)


def test_belonging_to_another_segment_is_as_given() -> None:
    assert holds({"segment": "vips"}, [], segments=["vips"])
    assert holds(about("segments", "none_of", ["lost"]), [], segments=["vips"])
    assert not holds({"segment": "lost"}, [], segments=["vips"])


@pytest.mark.parametrize(
    ("op", "value", "expected"),
    [
        ("eq", "杭州", True),
        ("eq", "上海", False),
        ("ne", "上海", True),
        ("in", ["上海", "杭州"], True),
        ("not_in", ["上海"], True),
        ("contains", "杭", True),
        ("starts_with", "州", False),
        ("any_of", ["杭州"], True),
        ("exists", None, True),
        ("missing", None, False),
        ("gt", 5, False),
    ],
)
def test_ops_on_an_attribute(op: str, value: Any, expected: bool) -> None:
    told = [an_update(attributes={"city": "杭州"})]
    assert holds(about("attributes.city", op, value), told) is expected


def test_an_attribute_with_a_list_passes_if_one_value_does() -> None:
    told = [an_update(attributes={"tastes": ["甜", "辣"], "age": "35", "height": 170.5})]
    assert holds(about("attributes.tastes", "contains", "辣"), told)
    assert holds(about("attributes.tastes", "all_of", ["辣", "甜"]), told)
    assert not holds(about("attributes.tastes", "all_of", ["辣", "咸"]), told)
    assert not holds(about("attributes.tastes", "none_of", ["辣"]), told)
    assert holds(about("attributes.age", "between", [30, 40]), told)
    assert holds(about("attributes.height", "gt", 170.4), told)


def test_true_is_no_number_and_a_removed_attribute_is_missing() -> None:
    told = [an_update(attributes={"vip": True, "city": "杭州"})]
    assert not holds(about("attributes.vip", "eq", 1), told)
    assert holds(about("attributes.vip", "eq", True), told)
    gone = [*told, an_update(START + 1, attributes={"city": None})]
    assert holds(about("attributes.city", "missing"), gone)


def test_what_is_not_there_passes_only_the_negations() -> None:
    for op in ("eq", "gte", "contains"):
        assert not holds(about("attributes.nothing", op, "1" if op != "gte" else 1), [])
    for op, value in (("ne", "x"), ("not_in", ["x"]), ("none_of", ["x"]), ("missing", None)):
        assert holds(about("attributes.nothing", op, value), [])
    assert holds(about("categories.坚果.orders", "eq", 0), [])
    assert not holds(about("orders.last_at", "lt", "2030-01-01"), [])


def test_dates_are_read_in_the_platforms_time_zone() -> None:
    midnight_in_shanghai = START - 8 * HOUR
    told = [an_update(attributes={"joined": "2026-03-01"})]
    assert holds(about("attributes.joined", "gte", "2026-03-01T00:00:00+08:00"), told)
    assert holds(about("orders.first_at", "gte", "2026-03-01"), [a_purchase(midnight_in_shanghai)])
    assert not holds(
        about("orders.first_at", "gte", "2026-03-01"), [a_purchase(midnight_in_shanghai - 1)]
    )
    assert evaluated(about("as_of", "gte", "2026-03-02"), [], midnight_in_shanghai) == (
        False,
        midnight_in_shanghai + DAY,
    )


def test_the_age_of_a_time_in_the_profile_flips_to_the_instant() -> None:
    bought = [a_purchase(START, order_id="O-1")]
    rule = about("orders.last_at", "older_than", "90d")
    assert evaluated(rule, bought) == (False, START + 90 * DAY + 1)
    assert evaluated(rule, [*bought, a_cancellation(order_id="O-1")]) == (False, None)
    since = about("lifecycle.since", "newer_than", "10d")
    assert evaluated(since, bought, START + 20 * DAY) == (False, START + 30 * DAY + 1)


def test_consents_categories_identifiers_support_and_reorders_can_be_read() -> None:
    events = [
        an_update(consents={"marketing.sms": False}),
        a_purchase(items=[an_item("EJ", category="阿胶糕", quantity=2, pack_days=30)]),
        a_ticket(kind="complaint"),
        a_rating(score=4),
    ]
    assert holds(about("consents.marketing.sms", "eq", False), events)
    assert holds(about("consents.marketing.email", "missing"), events)
    assert holds(about("categories.阿胶糕.quantity", "eq", 2), events)
    assert holds(about("identifiers.member_id", "exists"), events)
    assert holds(about("identifiers.phone", "missing"), events)
    assert holds(about("support.open_tickets", "eq", 1), events)
    assert holds(about("support.rating", "eq", 4), events)
    assert holds(about("reorder", "contains", "EJ"), events)
    assert holds(about("reorder.EJ.due_at", "gte", "2026-04-30T00:00:00Z"), events)


def test_browse_events_that_are_only_counted_per_day_still_count() -> None:
    day = START // DAY
    looked = [a_browse(START + 3 * DAY, category="健身")]
    rest = {
        "days": {"browse.viewed": {"健身": {str(day): 4}, "": {str(day): 1}}},
        "seen": {"browse.viewed": Seen(6, START + HOUR, START + 3 * DAY)},
    }
    body = {"event": "browse.viewed", "where": {"category": "健身"}, "within": "7d"}
    now = START + 4 * DAY
    rule = {"count": body, "op": "gte", "value": 5}
    # Of a day's events the day is known, so they leave the window when the day's end does.
    assert evaluated(rule, looked, now, **rest) == (True, START + 8 * DAY)
    everything = {"count": {"event": "browse.viewed"}, "op": "eq", "value": 6}
    assert holds(everything, looked, now, **rest)
    first = {"first": {"event": "browse.viewed"}, "older_than": "4d"}
    assert evaluated(first, looked, now, **rest) == (False, START + HOUR + 4 * DAY + 1)


def test_first_last_and_number_of_an_event_are_known_for_life() -> None:
    now = START + 2 * EXACT_WINDOW
    seen = {"purchase.completed": Seen(7, START, START + EXACT_WINDOW // 2)}
    assert holds({"count": BUYING, "op": "eq", "value": 7}, [], now, seen=seen)
    assert holds({"last": BUYING, "older_than": "500d"}, [], now, seen=seen)
    assert not holds({"last": BUYING, "older_than": "700d"}, [], now, seen=seen)
    assert holds({"first": BUYING, "older_than": "700d"}, [], now, seen=seen)


def test_clauses_that_must_all_flip_wait_for_the_last_and_any_other_for_the_first() -> None:
    bought = [a_purchase(START)]
    soon, late = ({"last": BUYING, "older_than": days} for days in ("10d", "20d"))
    never = {"last": {"event": "purchase.refunded"}, "older_than": "1d"}
    late_flip, soon_flip = START + 20 * DAY + 1, START + 10 * DAY + 1
    assert evaluated({"all": [late, soon]}, bought) == (False, late_flip)
    assert evaluated({"any": [late, soon]}, bought) == (False, soon_flip)
    assert evaluated({"all": [soon, never]}, bought) == (False, None)
    assert evaluated({"any": [soon, never]}, bought) == (False, soon_flip)
    assert evaluated({"not": {"all": [soon, late]}}, bought) == (True, late_flip)
