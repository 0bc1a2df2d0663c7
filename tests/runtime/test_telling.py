"""What a process tells about itself, and how it decides that it must stop."""

import pytest

from zhiyin.contracts.instants import SECOND
from zhiyin.runtime.delays import Delays, merge, quantile
from zhiyin.runtime.halting import Halted, HaltRule, Stuck
from zhiyin.runtime.log.sharing import plan, shares
from zhiyin.runtime.rates import Rates
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry, extract, inject
from zhiyin.runtime.watchdog import check_progress

ENVIRON = {
    "ZHIYIN_POSTGRES": "postgresql://p",
    "ZHIYIN_REDIS": "redis://r",
    "ZHIYIN_SECRET_KEY": "0123456789abcdef",
}


def test_percentiles_of_merged_delays_are_right_to_within_ten_percent() -> None:
    one, two = Delays(), Delays()
    one.record_many("d", [i * 1000 for i in range(1, 500)])
    two.record_many("d", [i * 1000 for i in range(500, 1001)])
    merged = merge(part.snapshot()["d"].total for part in (one, two))
    assert quantile(merged, 0.5) == pytest.approx(500_000, rel=0.1)
    assert quantile(merged, 0.99) == pytest.approx(990_000, rel=0.1)
    assert quantile({}, 0.5) is None


def test_recent_delays_forget_what_is_older_than_two_minutes() -> None:
    now = [0.0]
    delays = Delays(lambda: now[0])
    delays.record("d", SECOND)
    now[0] = 60.0
    assert sum(delays.snapshot()["d"].recent.values()) == 1
    now[0] = 1000.0
    assert delays.snapshot()["d"].recent == {}
    assert sum(delays.snapshot()["d"].total.values()) == 1


def test_rates_are_averages_of_the_last_ten_seconds() -> None:
    now = [100.0]
    rates = Rates(lambda: now[0])
    rates.add("records", 50)
    now[0] = 101.5
    rates.add("records", 50)
    assert rates.per_second() == {"records": 5.0}
    now[0] = 200.0
    assert rates.per_second() == {"records": 0.0}
    assert rates.total("records") == 100


def test_a_halt_needs_both_a_ratio_and_a_number_of_dead_letters() -> None:
    rule = HaltRule(window=200, least=50, ratio=0.5)
    rule.add(0, 49)
    rule.add(100, 20)
    with pytest.raises(Halted):
        rule.add(0, 110)


def test_a_lane_with_work_and_no_progress_is_stuck() -> None:
    check_progress([(0.0, 0), (90.0, 5)], now=100.0, patience=30.0)
    with pytest.raises(Stuck, match="lane 1"):
        check_progress([(0.0, 0), (60.0, 5)], now=100.0, patience=30.0)


def test_shares_are_fair_and_what_is_left_over_stays_where_it_is() -> None:
    assert shares(8, {"a": 8, "b": 0, "c": 0}) == {"a": 3, "b": 3, "c": 2}
    assert shares(8, {"a": 2, "b": 3, "c": 3}) == {"a": 2, "b": 3, "c": 3}
    assert shares(2, {"a": 1, "b": 0, "c": 1}) == {"a": 1, "b": 0, "c": 1}


@pytest.mark.parametrize("members", [1, 2, 3, 5, 8, 11])
def test_members_that_follow_their_plans_end_up_with_fair_shares(members: int) -> None:
    names = [f"m{i}" for i in range(members)]
    owners: dict[int, str | None] = dict.fromkeys(range(8), "m0")
    for _ in range(members + 1):
        for name in names:
            move = plan(name, names, owners)
            owners |= dict.fromkeys(move.give, None) | dict.fromkeys(move.take, name)
    held = [list(owners.values()).count(name) for name in names]
    assert None not in owners.values()
    assert max(held) - min(held) <= 1
    assert all(plan(name, names, owners) == (frozenset(), frozenset()) for name in names)


def test_settings_have_defaults() -> None:
    assert ServiceSettings.from_env(ENVIRON).timezone == "Asia/Shanghai"


def test_without_an_exporter_a_trace_is_only_passed_on() -> None:
    telemetry = Telemetry("s", "s-1")
    with telemetry.span("work", "00-aa-bb-01") as traceparent:
        assert traceparent == "00-aa-bb-01"
    headers = inject((("id", b"1"), ("traceparent", b"old")), "new")
    assert extract(headers) == "new"
    assert ("id", b"1") in headers


def test_with_an_exporter_a_span_continues_the_trace() -> None:
    telemetry = Telemetry("s", "s-1", otlp_endpoint="http://127.0.0.1:9")
    trace = "0af7651916cd43dd8448eb211c80319c"
    with telemetry.span("work", f"00-{trace}-b7ad6b7169203331-00") as traceparent:
        assert traceparent is not None
        assert traceparent[3:35] == trace
        assert traceparent[36:52] != "b7ad6b7169203331"
    telemetry.shutdown()
