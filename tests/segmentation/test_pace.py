"""A backfill leaves live work its share, however quick or slow the machine is."""

from services.segmentation.domain.pace import Pace
from zhiyin.contracts.instants import SECOND


def settled(microseconds_each: float, pages: int = 20) -> Pace:
    """After pages on a machine that takes so long per person."""
    pace = Pace()
    for _ in range(pages):
        pace.took(pace.people, pace.people * microseconds_each / SECOND)
    return pace


def test_pages_settle_at_a_twentieth_of_a_second_and_pauses_are_as_long() -> None:
    pace = settled(100)
    assert pace.people == 500
    assert pace.pause == SECOND // 20


def test_a_slow_machine_gets_small_pages_and_long_pauses() -> None:
    pace = settled(10_000)
    assert pace.people == 50
    assert pace.pause == SECOND // 2


def test_a_quick_one_is_bounded_too() -> None:
    pace = settled(1)
    assert pace.people == 2_000
    assert pace.pause == SECOND // 100


def test_one_slow_page_does_not_stop_the_walk() -> None:
    pace = settled(100)
    pace.took(pace.people, 60.0)
    assert (pace.people, pace.pause) == (250, SECOND)


def test_a_page_of_people_who_are_up_to_date_says_nothing_about_the_pace() -> None:
    pace = settled(100)
    pace.took(0, 0.001)
    assert pace.people == 500
