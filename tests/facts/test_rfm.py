from itertools import pairwise

import pytest

from tests.builders import START, a_cancellation, a_purchase, a_refund
from tests.people import facts_of
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY
from zhiyin.facts import RfmThresholds, rfm
from zhiyin.facts.history import OrderHistory
from zhiyin.facts.rfm import rfm_at, rfm_course


def orders(count: int, total: str = "100", every: int = DAY) -> list[Event]:
    return [a_purchase(START + turn * every, total=total) for turn in range(count)]


def test_a_person_without_orders_has_no_class_and_never_will_by_waiting() -> None:
    assert tuple(rfm(facts_of([]), START)) == (0, 0, 0, "none", None)
    cancelled = [a_purchase(order_id="O-1"), a_cancellation(order_id="O-1")]
    assert rfm(facts_of(cancelled), START).class_ == "none"


@pytest.mark.parametrize(
    ("days", "before", "after"), [(30, 5, 4), (60, 4, 3), (90, 3, 2), (180, 2, 1)]
)
def test_recency_falls_just_after_its_number_of_days(days: int, before: int, after: int) -> None:
    facts = facts_of([a_purchase(START)])
    edge = START + days * DAY
    assert rfm(facts, edge).r == before
    assert rfm(facts, edge).next_flip == edge + 1
    assert rfm(facts, edge + 1).r == after


@pytest.mark.parametrize(("count", "f"), [(1, 1), (2, 2), (3, 3), (5, 3), (6, 4), (9, 4), (10, 5)])
def test_frequency_counts_the_orders_of_a_year(count: int, f: int) -> None:
    assert rfm(facts_of(orders(count)), START + 20 * DAY).f == f


@pytest.mark.parametrize(
    ("total", "m"),
    [("499.99", 1), ("500", 2), ("2000", 3), ("5000", 4), ("9999.99", 4), ("10000", 5)],
)
def test_monetary_is_the_net_spend_of_a_year_in_yuan(total: str, m: int) -> None:
    assert rfm(facts_of([a_purchase(total=total)]), START).m == m
    more = [a_purchase(total=total, order_id="O-1"), a_purchase(total="300", order_id="O-2")]
    refunded = [*more, a_refund(order_id="O-2", amount="300")]
    assert rfm(facts_of(refunded), START).m == m


def test_an_order_leaves_frequency_and_spend_when_it_is_over_a_year_old() -> None:
    facts = facts_of([a_purchase(START, total="600"), a_purchase(START + 300 * DAY, total="1")])
    edge = START + 365 * DAY
    assert rfm(facts, edge)[:3] == (3, 2, 2)
    assert rfm(facts, edge + 1)[:3] == (3, 1, 1)


@pytest.mark.parametrize(
    ("count", "total", "age", "name"),
    [
        (6, "1000", 60, "high_value_loyal"),
        (6, "100", 60, "new_or_small"),
        (3, "1000", 60, "potential_growth"),
        (1, "100", 1, "new_or_small"),
        (6, "1000", 61, "churn_warning"),
        (6, "1000", 180, "churn_warning"),
        (6, "1000", 181, "dormant"),
    ],
)
def test_the_class_follows_from_the_scores(count: int, total: str, age: int, name: str) -> None:
    last = START + (count - 1) * DAY
    assert rfm(facts_of(orders(count, total)), last + age * DAY).class_ == name


def test_thresholds_can_be_changed_and_nonsense_is_refused() -> None:
    strict = RfmThresholds(recency=((7 * DAY, 5),), frequency=((2, 5),), monetary=((1, 5),))
    facts = facts_of([a_purchase(START)])
    assert rfm(facts, START + 8 * DAY, strict)[:3] == (1, 1, 5)
    with pytest.raises(ValueError, match="recency"):
        RfmThresholds(recency=((60 * DAY, 5), (30 * DAY, 4)))
    with pytest.raises(ValueError, match="scores"):
        RfmThresholds(frequency=((10, 7),))
    with pytest.raises(ValueError, match="above zero"):
        RfmThresholds(monetary=((0, 2),))


def test_the_course_says_what_asking_at_each_of_its_instants_says() -> None:
    bought = [*orders(12, "1900", every=20 * DAY), *orders(12, "10", every=0)]
    history = OrderHistory(facts_of(bought))
    now = START + 12 * 20 * DAY
    course = rfm_course(history, now, RfmThresholds())
    assert course == [(at, rfm_at(history, at, RfmThresholds())) for at, _ in course]
    for (_, scores), (later, _) in pairwise(course):
        assert scores.next_flip == later
        assert rfm_at(history, later - 1, RfmThresholds())[:4] == scores[:4]
    assert course[-1][1] == (1, 1, 1, "dormant", None)
