"""Cut points from the population: fifths, ties, and tiers over the scores."""

from collections import Counter

from zhiyin.contracts.instants import DAY, HOUR
from zhiyin.contracts.profiles import Facts, Order, OrderTotals
from zhiyin.facts import OrderHistory
from zhiyin.facts.quintiles import Population
from zhiyin.facts.rfm import rfm_at
from zhiyin.facts.thresholds import DEFAULT_RFM
from zhiyin.facts.tiers import VALUE_TIERS, value_tier

NOW = 20_000 * DAY


def a_buyer(age_days: int, orders: int, total: int) -> OrderHistory:
    """`orders` equal orders, all of them `age_days` ago."""
    at = NOW - age_days * DAY
    kept = {str(n): Order(at, str(n), total // orders) for n in range(orders)}
    return OrderHistory(Facts(orders=OrderTotals(orders, total, 0, at, at), orders_kept=kept))


def population_of(buyers: list[OrderHistory]) -> Population:
    population = Population(100)
    for one in buyers:
        population.add(one, NOW)
    return population


def test_different_values_fall_into_equal_fifths() -> None:
    buyers = [a_buyer(n, n, n * 1_000) for n in range(1, 101)]
    cuts = population_of(buyers).quintiles()
    scores = [rfm_at(one, NOW, cuts) for one in buyers]
    for part in ("r", "f", "m"):
        assert Counter(getattr(one, part) for one in scores) == dict.fromkeys(range(1, 6), 20)
    assert (scores[0].r, scores[0].f, scores[0].m) == (5, 1, 1)
    assert (scores[-1].r, scores[-1].f, scores[-1].m) == (1, 5, 5)


def test_equal_values_get_equal_scores_and_the_lowest_fifth_they_reach_into() -> None:
    buyers = [a_buyer(10, 1, 10_000)] * 60 + [a_buyer(10, 2, 10_000)] * 30
    buyers += [a_buyer(10, 7, 10_000)] * 10
    cuts = population_of(buyers).quintiles()
    assert cuts.frequency == ((7, 5), (2, 4))
    assert cuts.recency == cuts.monetary == ()
    assert rfm_at(buyers[0], NOW, cuts)[:3] == (1, 1, 1)


def test_people_without_orders_do_not_count_and_nobody_gives_no_cut_points() -> None:
    population = population_of([OrderHistory(Facts())])
    assert population.buyers == 0
    cuts = population.quintiles()
    assert (cuts.recency, cuts.frequency, cuts.monetary) == ((), (), ())
    assert cuts.window == DEFAULT_RFM.window


def test_recency_is_cut_at_whole_hours_so_that_it_moves_only_when_people_do() -> None:
    population = Population(100)
    for minutes in range(0, 3_000, 30):
        at = NOW - minutes * DAY // 1440
        totals = OrderTotals(1, 100, 0, at, at)
        population.add(OrderHistory(Facts(orders=totals, orders_kept={"o": Order(at, "o")})), NOW)
    assert all(age % HOUR == 0 for age, _ in population.quintiles().recency)


def test_every_combination_of_scores_has_one_tier() -> None:
    tiers = Counter(value_tier(r, m) for r in range(1, 6) for m in range(1, 6))
    assert set(tiers) | {value_tier(0, 0)} == set(VALUE_TIERS)
    assert value_tier(2, 4) == "vip"
    assert value_tier(1, 5) == "lost"
    assert value_tier(5, 3) == "potential"
    assert value_tier(5, 2) == "ordinary"
