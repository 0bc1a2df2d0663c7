from typing import Any

from tests.builders import START, a_cancellation, a_purchase, an_item
from tests.people import facts_of
from zhiyin.contracts.buying import SkuTotals
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR
from zhiyin.contracts.profiles import Facts
from zhiyin.facts import reorders


def bought(day: int, quantity: int = 1, pack_days: int | None = None, gift: bool = False) -> Event:
    item = an_item("EJ", quantity=quantity, pack_days=pack_days)
    return a_purchase(START + day * DAY, items=[item], gift=gift, order_id=f"O-{day}")


def dated(*events: Event) -> Any:
    [found] = reorders(facts_of(events))
    return found.due_at - found.bought_at, found.basis, found.sure


def test_what_says_how_long_it_lasts_is_due_after_that_times_the_packs_bought() -> None:
    assert dated(bought(0, 3, 30), bought(10, 2, 30)) == (60 * DAY, "pack", "medium")


def test_without_that_the_persons_own_rhythm_says_it_from_the_third_purchase_on() -> None:
    assert reorders(facts_of([bought(0), bought(20)])) == ()
    assert dated(bought(0), bought(20), bought(52)) == (26 * DAY, "interval", "low")
    several = [bought(0), bought(20), bought(30), bought(60)]
    assert dated(*several) == (20 * DAY, "interval", "medium")


def test_a_steady_rhythm_of_ones_own_outweighs_the_pack_and_is_sure() -> None:
    steady = [bought(day, pack_days=30) for day in (0, 44, 90, 135, 180)]
    assert dated(*steady) == (45 * DAY, "interval", "high")
    once_away = [bought(day, pack_days=30) for day in (0, 45, 90, 300, 345)]
    assert dated(*once_away)[:2] == (45 * DAY, "interval")


def test_an_irregular_rhythm_leaves_it_to_the_pack() -> None:
    now_and_then = [bought(day, pack_days=30) for day in (0, 2, 80, 90, 200)]
    assert dated(*now_and_then) == (30 * DAY, "pack", "medium")


def test_more_than_usual_lasts_longer() -> None:
    stocked_up = [*(bought(day) for day in (0, 30, 60, 90)), bought(120, quantity=3)]
    assert dated(*stocked_up) == (90 * DAY, "interval", "high")


def test_a_gift_and_a_cancelled_order_make_nothing_due() -> None:
    assert reorders(facts_of([bought(0, 2, 30, gift=True)])) == ()
    assert reorders(facts_of([bought(0, 2, 30), a_cancellation(order_id="O-0")])) == ()


def test_soonest_first_and_never_beyond_ten_years() -> None:
    skus = {
        "bulk": SkuTotals(orders=1, last_at=0, last_quantity=1_000_000, pack_days=3650),
        "soon": SkuTotals(orders=3, last_at=0, last_quantity=1, intervals=(5, 6)),
        "at-once": SkuTotals(orders=3, last_at=0, last_quantity=1, intervals=(0, 0)),
    }
    found = reorders(Facts(skus=skus))
    assert [(each.sku, each.due_at) for each in found] == [
        ("soon", 5 * HOUR + HOUR // 2),
        ("bulk", 3650 * DAY),
    ]
