"""When to start again what has ended."""

from zhiyin.embedded.stack.backoff import Backoff


def test_it_waits_twice_as_long_each_time_up_to_ten_seconds() -> None:
    backoff = Backoff()
    now, waits = 100.0, []
    for _ in range(8):
        backoff.started(now)
        backoff.ended(now)
        wait = 0.0
        while not backoff.may_start(now + wait):
            wait = round(wait + 0.1, 1)
        waits.append(wait)
        now += wait
    assert waits == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0]
    assert backoff.total == 8


def test_being_told_twice_counts_once() -> None:
    backoff = Backoff()
    backoff.started(0)
    backoff.ended(1)
    backoff.ended(2)
    assert backoff.total == 1


def test_a_healthy_minute_forgets() -> None:
    backoff = Backoff(failures=7)
    backoff.started(0)
    backoff.ended(61)
    assert backoff.may_start(61.3)
