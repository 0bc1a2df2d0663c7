from hypothesis import given, settings

from tests.builders import START, a_cancellation, a_purchase
from tests.people import facts_of
from tests.rules.naive import World, stage
from tests.rules.strategies import Situation, facts, instants_that_matter, situations
from zhiyin.contracts.instants import DAY, Instant
from zhiyin.facts import lifecycle


def stage_of(days: list[int], now: int) -> tuple[str, Instant | None, Instant | None]:
    """Somebody's stage `now` days after the start, with orders on these days."""
    bought = [a_purchase(START + day * DAY) for day in days]
    stage, since, flip = lifecycle(facts_of(bought), START + now * DAY)
    return stage, since and since - START, flip and flip - START


def test_a_lead_has_no_order_even_after_cancelling_one() -> None:
    assert stage_of([], 0) == ("lead", None, None)
    cancelled = [a_purchase(order_id="O-1"), a_cancellation(order_id="O-1")]
    assert lifecycle(facts_of(cancelled), START).stage == "lead"


def test_one_order_is_new_for_thirty_days_then_one_time_then_dormant_then_lost() -> None:
    assert stage_of([0], 30) == ("new", 0, 30 * DAY + 1)
    assert stage_of([0], 31) == ("one_time", 30 * DAY + 1, 90 * DAY + 1)
    assert stage_of([0], 90) == ("one_time", 30 * DAY + 1, 90 * DAY + 1)
    assert stage_of([0], 91) == ("dormant", 90 * DAY + 1, 365 * DAY + 1)
    assert stage_of([0], 366) == ("lost", 365 * DAY + 1, None)


def test_more_orders_make_active_repeat_and_loyal() -> None:
    assert stage_of([0, 50], 50) == ("active", 50 * DAY, 140 * DAY + 1)
    assert stage_of([0, 1, 2, 50], 60) == ("repeat", 50 * DAY, 140 * DAY + 1)
    assert stage_of(list(range(10)), 20) == ("loyal", 9 * DAY, 99 * DAY + 1)


def test_a_loyal_person_whose_tenth_order_leaves_the_year_is_a_repeat_buyer() -> None:
    days = [*range(9), 300]
    assert stage_of(days, 310) == ("loyal", 300 * DAY, 365 * DAY + 1)
    assert stage_of(days, 366) == ("repeat", 365 * DAY + 1, 390 * DAY + 1)


def test_who_came_back_is_in_the_stage_since_coming_back() -> None:
    assert stage_of([0, 10, 200], 210) == ("active", 200 * DAY, 290 * DAY + 1)
    assert stage_of([0, 10, 20, 100, 110], 120)[:2] == ("repeat", 100 * DAY)


@settings(max_examples=150, deadline=None)
@given(situations(facts))
def test_the_stage_began_when_it_says_it_did(case: Situation) -> None:
    """Asked at every earlier instant that matters: the same from `since` on, another before."""
    world = World(case.events)
    said = lifecycle(facts_of(case.events), case.now)
    last = world.orders[-1][0] if world.orders else 0
    if said.since is None or last > case.now:
        return

    def past(at: Instant) -> str:
        return stage([order for order in world.orders if order[0] <= at], at)

    assert past(said.since) == said.stage
    assert past(said.since - 1) != said.stage
    between = [at for at in instants_that_matter(case.events, {}) if said.since <= at <= case.now]
    assert all(past(at) == said.stage for at in between)
