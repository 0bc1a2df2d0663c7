"""Days, schedules and broadcasts: what begins a campaign without anybody doing anything."""

import asyncio
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from services.engagement.domain.campaign import Campaign, ScheduleStart
from services.engagement.domain.cron import cron
from services.engagement.domain.dates import DateStart
from services.engagement.domain.festivals import FESTIVALS
from services.engagement.domain.holidays import _statutory, day_off, public_holiday
from services.engagement.domain.until import Until
from services.engagement.domain.zones import zone_of
from tests.builders import an_update
from tests.engagement.harness import NOON, Instance, a_change, a_crossing, reachable, somebody
from tests.engagement.test_decisions import SHANGHAI, a_campaign
from tests.people import snapshot_of
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, Instant, instant, moment
from zhiyin.contracts.profiles import ProfileChanged
from zhiyin.rules import Person

TAGGED = {"key": "gift", "name": "x", "steps": [{"tag": "gifted"}]}
BIRTHDAY = {
    **TAGGED,
    "trigger": {"on": "date", "fact": "attributes.birthday", "offset": "-3d", "at": "09:00"},
}
MORNINGS = {**TAGGED, "trigger": {"on": "schedule", "cron": "30 9 * * *", "segment": "vip"}}
TO_ALL = {**TAGGED, "trigger": {"on": "broadcast", "segment": "vip"}}


def at(text: str) -> Instant:
    return instant(datetime.fromisoformat(text))


def born(day: str, profile_id: str = "p-1", **attributes: str) -> ProfileChanged:
    events = [an_update(NOON - DAY, attributes={"birthday": day, **attributes})]
    changed = ["identifiers", "attributes.birthday", *(f"attributes.{each}" for each in attributes)]
    return a_change(events, profile_id=profile_id, changed=changed, identifiers=reachable())


def start_of(**trigger: str) -> DateStart:
    start = a_campaign(trigger={"on": "date", **trigger}).start
    assert isinstance(start, DateStart)
    return start


def next_day(start: DateStart, now: str, **attributes: str) -> str | None:
    events = [an_update(NOON - DAY, attributes=attributes)] if attributes else []
    coming = start.next(Person(snapshot_of(events)), SHANGHAI, at(now))
    return None if coming is None else moment(coming.at).astimezone(SHANGHAI).isoformat()[:16]


@pytest.mark.parametrize(
    ("birthday", "now", "then"),
    [
        ("1990-05-12", "2026-03-01T00:00+08:00", "2026-05-09T09:00"),
        ("1990-05-12", "2026-05-09T08:59:59+08:00", "2026-05-09T09:00"),
        ("1990-05-12", "2026-05-09T09:00+08:00", "2027-05-09T09:00"),
        ("05-12", "2026-03-01T00:00+08:00", "2026-05-09T09:00"),
        ("1990-01-02", "2026-03-01T00:00+08:00", "2026-12-30T09:00"),
        ("2000-02-29", "2026-01-01T00:00+08:00", "2026-02-25T09:00"),
        ("2000-02-29", "2028-01-01T00:00+08:00", "2028-02-26T09:00"),
        ("nonsense", "2026-03-01T00:00+08:00", None),
        ("", "2026-03-01T00:00+08:00", None),
    ],
)
def test_a_birthday_comes_round_every_year(birthday: str, now: str, then: str | None) -> None:
    start = start_of(fact="attributes.birthday", offset="-3d", at="09:00")
    assert next_day(start, now, birthday=birthday) == then


def test_a_lunar_birthday_moves_through_the_solar_year() -> None:
    start = start_of(fact="attributes.birthday", calendar="lunar")
    # Born on the fifteenth of the eighth month, which is the Mid-Autumn Festival.
    assert next_day(start, "2026-03-01T00:00+08:00", birthday="1990-10-03") == "2026-09-25T09:00"
    assert next_day(start, "2026-10-01T00:00+08:00", birthday="1990-10-03") == "2027-09-15T09:00"


def test_a_day_that_comes_once_does_not_come_again() -> None:
    start = start_of(fact="attributes.due", repeat="once")
    assert next_day(start, "2026-03-01T00:00+08:00", due="2026-05-12") == "2026-05-12T09:00"
    assert next_day(start, "2026-06-01T00:00+08:00", due="2026-05-12") is None
    assert next_day(start, "2026-06-01T00:00+08:00", due="9999-12-31") is None


@pytest.mark.parametrize(
    ("festival", "day"),
    [
        ("spring-festival", "2026-02-17"),
        ("new-years-eve", "2026-02-16"),
        ("lantern", "2026-03-03"),
        ("dragon-boat", "2026-06-19"),
        ("qixi", "2026-08-19"),
        ("mid-autumn", "2026-09-25"),
        ("double-ninth", "2026-10-18"),
        ("qingming", "2026-04-05"),
        ("winter-solstice", "2026-12-22"),
        ("mothers-day", "2026-05-10"),
        ("fathers-day", "2026-06-21"),
    ],
)
def test_a_festival_falls_on_its_day(festival: str, day: str) -> None:
    assert FESTIVALS[festival](2026) == date.fromisoformat(day)


@given(st.sampled_from(sorted(FESTIVALS)), st.integers(2002, 2097))
def test_every_festival_comes_once_a_year_about_the_same_time(name: str, year: int) -> None:
    this, following = FESTIVALS[name](year), FESTIVALS[name](year + 1)
    assert this is not None
    assert following is not None
    assert 353 <= (following - this).days <= 385


def test_a_person_has_the_days_of_their_own_clock() -> None:
    events = [an_update(NOON, attributes={"timezone": "America/New_York"})]
    zone = zone_of(snapshot_of(events), SHANGHAI)
    coming = start_of(festival="christmas", at="10:00").next(Person(somebody()), zone, NOON)
    assert coming is not None
    assert moment(coming.at) == datetime(2026, 12, 25, 15, tzinfo=UTC)


@pytest.mark.parametrize("name", ["Mars/Olympus", "../../etc/passwd", "", 8])
def test_a_clock_nobody_knows_is_the_platforms(name: Any) -> None:
    events = [an_update(NOON, attributes={"timezone": name})]
    assert zone_of(snapshot_of(events), SHANGHAI) == SHANGHAI


def test_the_chinese_calendar_knows_days_off_and_days_worked() -> None:
    assert public_holiday(date(2026, 10, 1)) == "National Day"
    assert not day_off(date(2026, 10, 10))  # a Saturday worked in exchange
    assert public_holiday(date(2026, 10, 10)) is None
    assert day_off(date(2026, 10, 17))
    assert public_holiday(date(2026, 10, 17)) is None
    assert [day_off(date(2090, 1, each)) for each in (6, 7, 9)] == [False, True, False]


def test_of_a_year_not_settled_yet_the_days_off_are_those_the_law_names() -> None:
    year = [date(2090, 1, 1) + timedelta(days=each) for each in range(365)]
    named = Counter(name for day in year if (name := public_holiday(day)))
    assert named == {
        "New Year's Day": 1, "Spring Festival": 4, "Tomb-sweeping Day": 1, "Labour Day": 2,
        "Dragon Boat Festival": 1, "Mid-autumn Festival": 1, "National Day": 3,
    }  # fmt: skip
    assert public_holiday(date(2090, 1, 29)) == "Spring Festival"  # New Year's Eve
    assert day_off(date(2090, 10, 3))
    assert not day_off(date(2090, 10, 4))


def test_the_days_the_law_names_are_among_those_of_every_year_that_is_settled() -> None:
    """The calendar's own years tell whether we read the law as it is."""
    for year in (2025, 2026):
        for each in range(365):
            day = date(year, 1, 1) + timedelta(days=each)
            if (named := _statutory(day)) is not None:
                assert public_holiday(day) is not None, (day, named)
                assert day_off(day)


@pytest.mark.parametrize(
    ("on", "after", "now", "then"),
    [
        ((), 0, "2026-03-02T08:00+08:00", "2026-03-02T10:00"),
        ((), 0, "2026-03-02T10:00+08:00", "2026-03-02T10:00"),
        ((), 0, "2026-03-02T10:00:01+08:00", "2026-03-03T10:00"),
        ((), 2 * DAY, "2026-03-02T08:00+08:00", "2026-03-04T10:00"),
        (("sat", "sun"), 0, "2026-03-02T08:00+08:00", "2026-03-07T10:00"),
        (("workday",), 0, "2026-10-01T08:00+08:00", "2026-10-08T10:00"),
        (("holiday",), 0, "2026-09-28T08:00+08:00", "2026-10-01T10:00"),
    ],
)
def test_a_wait_ends_by_the_clock(on: tuple[str, ...], after: int, now: str, then: str) -> None:
    until = Until(datetime.fromisoformat("2026-01-01T10:00").time(), frozenset(on), after)
    ends = until.next(at(now), SHANGHAI)
    assert moment(ends).astimezone(SHANGHAI).isoformat()[:16] == then


@given(st.integers(0, 4_000_000_000), st.sampled_from(["30 9 * * *", "*/7 * * * *", "0 0 1 * 1"]))
def test_a_schedule_has_one_next_and_one_newest_instant(seconds: int, expression: str) -> None:
    schedule, now = cron(expression, ZoneInfo("America/New_York")), seconds * 1_000_000 + 5
    newest, following = schedule.by(now), schedule.after(now)
    assert newest <= now < following
    assert schedule.by(following) == following
    assert schedule.after(newest) == following


# On PostgreSQL


async def entries(instance: Instance) -> list[tuple[str, str, bool, str | None]]:
    rows = await instance.fetch(
        """SELECT profile_id, occurrence, entered, reason FROM decision
           WHERE campaign = 'gift' ORDER BY at, profile_id"""
    )
    return [tuple(row) for row in rows]


async def members(instance: Instance, *ids: str) -> None:
    for each in ids:
        await instance.deliver(
            a_change([], profile_id=each, causes=[]),
            a_crossing("vip", profile_id=each, cause="backfill"),
        )


async def test_a_birthday_is_kept_once_a_year_and_never_early(instance: Instance) -> None:
    await instance.launch(BIRTHDAY)
    await instance.fire_due(NOON)
    await instance.deliver(born("1990-05-12"))
    first, second = at("2026-05-09T09:00+08:00"), at("2027-05-09T09:00+08:00")
    await instance.fire_due(first - 1)
    assert await entries(instance) == []
    await instance.fire_due(first)
    await instance.fire_due(second - 1)
    assert await entries(instance) == [("p-1", "date:attributes.birthday:2026", True, None)]
    await instance.fire_due(second)
    assert [each[1] for each in await entries(instance)] == [
        "date:attributes.birthday:2026",
        "date:attributes.birthday:2027",
    ]


async def test_a_birthday_that_is_corrected_is_not_kept_twice(instance: Instance) -> None:
    await instance.launch(BIRTHDAY)
    await instance.deliver(born("1990-05-12"))
    instance.now = at("2026-05-09T09:00+08:00")
    await instance.fire_due(instance.now)
    await instance.deliver(born("1990-06-12"))
    await instance.fire_due(at("2026-12-31T09:00+08:00"))
    assert len(await entries(instance)) == 1


async def test_a_corrected_birthday_moves_the_timer_and_so_does_the_clock(
    instance: Instance,
) -> None:
    await instance.launch(BIRTHDAY)
    await instance.deliver(born("1990-05-12"))
    await instance.deliver(born("1990-06-12", timezone="America/New_York"))
    await instance.fire_due(at("2026-06-09T08:59:59-04:00"))
    assert await entries(instance) == []
    await instance.fire_due(at("2026-06-09T09:00-04:00"))
    assert len(await entries(instance)) == 1


async def test_launching_dates_everybody_we_know(instance: Instance) -> None:
    await instance.deliver(born("1990-05-12"), born("05-12", "p-2"))
    await instance.launch(BIRTHDAY)
    await instance.fire_due(NOON)
    await instance.fire_due(at("2026-05-09T09:00+08:00"))
    assert [each[0] for each in await entries(instance)] == ["p-1", "p-2"]


async def test_a_festival_is_kept_with_those_who_came_after_the_launch_too(
    instance: Instance,
) -> None:
    trigger = {"on": "date", "festival": "mid-autumn", "offset": "-7d", "at": "10:00"}
    await instance.deliver(born("1990-01-01"))
    await instance.launch({**TAGGED, "trigger": trigger})
    await instance.fire_due(NOON)
    await instance.deliver(born("1990-01-01", "p-2"))
    await instance.fire_due(at("2026-09-18T09:59:59+08:00"))
    assert await entries(instance) == []
    await instance.fire_due(at("2026-09-18T10:00+08:00"))
    assert [each[:2] for each in await entries(instance)] == [
        ("p-1", "date:mid-autumn:2026"),
        ("p-2", "date:mid-autumn:2026"),
    ]


async def test_a_day_more_than_24_hours_past_after_an_outage_is_stale(instance: Instance) -> None:
    await instance.launch(BIRTHDAY)
    await instance.deliver(born("1990-05-12"), born("1990-05-13", "p-2"))
    await instance.fire_due(at("2026-05-10T09:00:01+08:00"))
    assert sorted((each[0], each[3]) for each in await entries(instance)) == [
        ("p-1", "stale"),
        ("p-2", None),
    ]


async def test_a_schedule_asks_its_segment_each_time_it_comes(instance: Instance) -> None:
    await members(instance, "p-1", "p-2")
    await instance.launch(MORNINGS)
    first = at("2026-03-03T09:30+08:00")
    await instance.fire_due(first - 1)
    assert await entries(instance) == []
    await instance.fire_due(first)
    assert [each[:2] for each in await entries(instance)] == [
        ("p-1", f"schedule:{first}"),
        ("p-2", f"schedule:{first}"),
    ]
    await instance.fire_due(first + DAY)
    assert len(await entries(instance)) == 4


async def test_of_instants_missed_in_an_outage_the_newest_is_kept(instance: Instance) -> None:
    await members(instance, "p-1")
    await instance.launch(MORNINGS)
    newest = at("2026-03-08T09:30+08:00")
    await instance.fire_due(newest + HOUR)
    assert [each[1] for each in await entries(instance)] == [f"schedule:{newest}"]
    [decision] = await instance.fetch("SELECT why FROM decision WHERE campaign = 'gift'")
    assert "5 missed before it" in msgspec.msgpack.decode(decision[0])["what"]


async def test_a_new_schedule_takes_the_place_of_the_old_one(instance: Instance) -> None:
    await members(instance, "p-1")
    await instance.launch(MORNINGS)
    changed = {**MORNINGS, "trigger": {**MORNINGS["trigger"], "cron": "0 18 * * *"}}  # type: ignore[dict-item]
    await instance.editor.update(msgspec.convert(changed, CampaignSpec), "test")
    await instance.fire_due(at("2026-03-03T09:30+08:00"))
    assert [each[1] for each in await entries(instance)] == [
        f"schedule:{at('2026-03-02T18:00+08:00')}"
    ]


async def test_a_paused_schedule_asks_nobody(instance: Instance) -> None:
    await members(instance, "p-1")
    await instance.launch(MORNINGS)
    await instance.editor.move("gift", "pause", "test")
    await instance.fire_due(at("2026-03-04T09:30+08:00"))
    assert await entries(instance) == []
    await instance.editor.move("gift", "launch", "test")
    await instance.fire_due(at("2026-03-05T09:30+08:00"))
    assert len(await entries(instance)) == 1
    await instance.editor.move("gift", "end", "test")
    await instance.fire_due(at("2026-03-08T09:30+08:00"))
    assert len(await entries(instance)) == 1
    assert await instance.fetch("SELECT 1 FROM timer WHERE kind = 'tick'") == []


async def test_a_broadcast_reaches_every_member_once_however_often_it_is_launched(
    instance: Instance,
) -> None:
    await members(instance, *(f"p-{number}" for number in range(5)))
    await instance.launch(TO_ALL)
    await instance.fire_due(NOON)
    await instance.editor.move("gift", "pause", "test")
    await members(instance, "p-9")
    await instance.editor.move("gift", "launch", "test")
    await instance.fire_due(NOON + MINUTE)
    found = await entries(instance)
    assert {each[1:] for each in found} == {("broadcast", True, None)}
    assert [each[0] for each in found] == [*(f"p-{number}" for number in range(5)), "p-9"]


async def test_a_broadcast_that_is_paused_on_its_way_goes_on_when_launched(
    instance: Instance,
) -> None:
    await members(instance, "p-1", "p-2")
    await instance.launch(TO_ALL)
    await instance.editor.move("gift", "pause", "test")
    await instance.fire_due(NOON)
    assert await entries(instance) == []
    await instance.editor.move("gift", "launch", "test")
    await instance.fire_due(NOON + MINUTE)
    assert len(await entries(instance)) == 2


async def test_a_broadcast_that_comes_a_day_late_reaches_nobody(instance: Instance) -> None:
    await members(instance, "p-1")
    await instance.launch(TO_ALL)
    await instance.fire_due(NOON + DAY + 1)
    assert await entries(instance) == [("p-1", "broadcast", False, "stale")]


async def test_after_a_merge_the_day_is_kept_once_for_the_one_they_are(
    instance: Instance,
) -> None:
    await instance.launch(BIRTHDAY)
    await instance.deliver(born("1990-05-12"), born("1990-05-12", "p-2"))
    merged = born("1990-05-12", "p-2")
    gone = a_change([], profile_id="p-1", causes=[], merged_into="p-2")
    kept = replace(merged, snapshot=replace(merged.snapshot, merged_from=("p-1",)))
    await instance.deliver(gone, kept)
    await instance.fire_due(at("2026-05-09T09:00+08:00"))
    assert await entries(instance) == [("p-2", "date:attributes.birthday:2026", True, None)]


async def test_a_broadcast_may_wait_for_its_hour(instance: Instance) -> None:
    await members(instance, "p-1")
    then = "2026-03-03T10:00:00+08:00"
    await instance.launch({**TAGGED, "trigger": {**TO_ALL["trigger"], "at": then}})  # type: ignore[dict-item]
    await instance.fire_due(at(then) - 1)
    assert await entries(instance) == []
    await instance.fire_due(at(then))
    assert len(await entries(instance)) == 1


async def test_two_instances_keep_a_day_and_a_schedule_once(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    await one.launch({**BIRTHDAY, "key": "birthday"})
    await members(one, "p-1")
    await one.deliver(born("1990-05-12"))
    await one.launch(MORNINGS)
    await asyncio.gather(
        *(each.fire_due(at("2026-05-09T09:30+08:00")) for each in (one, two, one, two))
    )
    rows = await one.fetch(
        "SELECT campaign, count(*) FROM action GROUP BY campaign ORDER BY campaign"
    )
    assert [tuple(row) for row in rows] == [("birthday", 1), ("gift", 1)]


def test_a_campaign_says_what_it_waits_for() -> None:
    campaign: Campaign = a_campaign(trigger=MORNINGS["trigger"])
    assert isinstance(campaign.start, ScheduleStart)
    assert (campaign.trigger_kind, campaign.about) == ("schedule", "vip")
