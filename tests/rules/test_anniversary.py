from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import a_purchase, an_update
from tests.people import person_of
from zhiyin.contracts.instants import DAY, HOUR, Instant, instant
from zhiyin.rules import Options, Verdict, compile_rule, parse

SHANGHAI = ZoneInfo("Asia/Shanghai")


def day(text: str, zone: ZoneInfo = SHANGHAI) -> Instant:
    """Midnight of a day."""
    return instant(datetime.fromisoformat(text).replace(tzinfo=zone))


def birthday(born: Any, within: str, now: Instant, zone: str = "Asia/Shanghai") -> Verdict:
    rule = parse({"anniversary": "attributes.birthday", "within": within})
    person = person_of([an_update(attributes={"birthday": born})])
    return compile_rule(rule, Options(time_zone=zone)).evaluate(person, now)


def test_a_birthday_within_a_week_holds_from_seven_days_before_until_the_day_is_over() -> None:
    begins, over = day("2026-05-05"), day("2026-05-13")
    assert birthday("1990-05-12", "7d", begins - 1) == (False, begins)
    assert birthday("1990-05-12", "7d", begins) == (True, over)
    assert birthday("1990-05-12", "7d", over - 1) == (True, over)
    assert birthday("1990-05-12", "7d", over) == (False, day("2027-05-05"))


def test_a_birthday_early_in_january_is_near_at_the_end_of_december() -> None:
    assert birthday("1990-01-02", "7d", day("2026-12-30")) == (True, day("2027-01-03"))


def test_who_was_born_on_a_leap_day_has_their_day_on_the_28th_in_other_years() -> None:
    assert birthday("2000-02-29", "1d", day("2027-02-28")) == (True, day("2027-03-01"))
    assert birthday("2000-02-29", "1d", day("2028-02-28")) == (True, day("2028-03-01"))
    assert birthday("2000-02-29", "1d", day("2027-03-01")) == (False, day("2028-02-28"))


def test_a_day_without_its_year_will_do_and_nonsense_never_holds() -> None:
    assert birthday("05-12", "7d", day("2026-05-10")).matches
    for nonsense in ("soon", "13-40", "1990-02-30", 19900512, True, ["1990-05-12"]):
        assert birthday(nonsense, "365d", day("2026-05-10")) == (False, None)


def test_the_day_begins_and_ends_in_the_platforms_time_zone_even_when_clocks_change() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    over = day("2026-03-30", berlin)
    assert over - day("2026-03-29", berlin) == 23 * HOUR
    said = birthday("1990-03-29", "1h", day("2026-03-29", berlin), "Europe/Berlin")
    assert said == (True, over)


def test_the_anniversary_of_the_first_order() -> None:
    rule = parse({"anniversary": "orders.first_at", "within": "3d"})
    bought = person_of([a_purchase(day("2025-06-10") + 20 * HOUR)])
    assert compile_rule(rule).evaluate(bought, day("2026-06-08")) == (True, day("2026-06-11"))


@settings(max_examples=150, deadline=None)
@given(
    st.dates(date(1950, 1, 1), date(2020, 12, 31)),
    st.sampled_from(["1s", "1d", "30d", "364d", "365d"]),
    st.integers(0, 1500),
    st.sampled_from([0, 1, -1, DAY // 3]),
)
def test_no_birthday_is_missed_or_early(born: Any, within: str, days: int, edge: int) -> None:
    """Against the plain question, asked around every midnight of the following 800 days."""
    now = day("2026-01-01") + days * DAY + edge
    lead = {"1s": timedelta(seconds=1)}.get(within) or timedelta(days=int(within[:-1]))

    def plainly(at: Instant) -> bool:
        local = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC")) + timedelta(microseconds=at)
        today = local.astimezone(SHANGHAI)
        for year in (today.year, today.year + 1):
            leap = year % 4 == 0
            shown = born.replace(day=28) if (born.month, born.day) == (2, 29) and not leap else born
            theirs = datetime(year, shown.month, shown.day, tzinfo=SHANGHAI)
            if theirs - lead <= today < theirs + timedelta(days=1):
                return True
        return False

    matches, flip = birthday(born.isoformat(), within, now)
    assert matches == plainly(now)
    assert flip is not None
    assert flip > now
    if within != "365d" and within != "364d":
        assert plainly(flip) != matches
    asked = [now + hours * HOUR for hours in range(0, min(flip - now, 400 * DAY) // HOUR, 6)]
    assert all(plainly(at) == matches for at in (*asked, flip - 1))
