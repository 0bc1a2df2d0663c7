"""Caps, quiet hours, holidays, priorities: how much one person may be addressed."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.engagement.domain.pressure import Contact, Pressure, pressure_of
from tests.builders import an_event, an_update
from tests.engagement.harness import NIGHT, NOON, Instance, a_change, reachable
from tests.engagement.test_decisions import SHANGHAI, a_customer, around
from tests.engagement.test_journeys import HELLO, begin, done, later, run_of
from zhiyin.contracts.campaigns import PressureSpec
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, SECOND, Instant, instant
from zhiyin.contracts.profiles import ProfileChanged

NEW_YORK = ZoneInfo("America/New_York")
MORNING = NIGHT + 11 * HOUR  # 09:00
WORDS = {"message": {"template": "win-back-2", "channel": "sms"}}


def at(text: str) -> Instant:
    return instant(datetime.fromisoformat(text))


def pressure(**spec: Any) -> Pressure:
    return pressure_of(msgspec.convert(spec, PressureSpec), SHANGHAI)


def quiet(rules: Pressure, now: str, zone: ZoneInfo = SHANGHAI, **more: str) -> Instant | None:
    found = rules.quiet_until(at(now), zone, **more)
    return None if found is None else found.until


HOURS = {"from": "21:30", "to": "09:00"}


def test_quiet_hours_are_the_persons_own() -> None:
    rules = pressure(quiet_hours=HOURS)
    assert quiet(rules, "2026-03-02T12:00+08:00") is None
    assert quiet(rules, "2026-03-02T12:00+08:00", NEW_YORK) == at("2026-03-02T09:00-05:00")


def test_a_holiday_can_be_quiet_all_day_with_the_nights_about_it() -> None:
    rules = pressure(quiet_hours=HOURS, holidays="quiet")
    # National Day and the days after it, until 7 October.
    assert quiet(rules, "2026-09-30T22:00+08:00") == at("2026-10-08T09:00+08:00")
    assert quiet(rules, "2026-10-03T12:00+08:00") == at("2026-10-08T09:00+08:00")
    assert quiet(rules, "2026-10-10T12:00+08:00") is None  # worked in exchange
    assert quiet(rules, "2026-10-17T12:00+08:00") is None  # an ordinary weekend
    assert quiet(rules, "2026-10-03T12:00+08:00", purpose="care") is None


def test_a_holiday_can_have_hours_of_its_own() -> None:
    rules = pressure(quiet_hours=HOURS, holidays={"from": "23:00", "to": "11:00"})
    assert quiet(rules, "2026-10-03T10:00+08:00") == at("2026-10-03T11:00+08:00")
    assert quiet(rules, "2026-10-03T22:00+08:00") is None
    assert quiet(rules, "2026-10-07T23:30+08:00") == at("2026-10-08T09:00+08:00")


def contact(when: Instant, channel: str = "sms", purpose: str = "marketing") -> Contact:
    return Contact(when, channel, purpose)


@pytest.mark.parametrize(
    ("cap", "new", "reached"),
    [
        ({}, contact(NOON), True),
        ({"channel": "sms"}, contact(NOON), True),
        ({"channel": "email"}, contact(NOON), False),
        ({}, contact(NOON, "email"), True),
        ({"channel": "sms"}, contact(NOON, "email"), False),
        ({"purpose": "care"}, contact(NOON), False),
        ({"purpose": "care"}, contact(NOON, purpose="care"), False),
        ({"purpose": "any"}, contact(NOON, purpose="care"), True),
        ({"purpose": "any"}, contact(NOON), True),
    ],
)
def test_a_cap_counts_its_channel_and_purpose(
    cap: Mapping[str, str], new: Contact, reached: bool
) -> None:
    rules = pressure(caps=[{"per": "1d", "max": 1, **cap}])
    found = rules.cap_reached([contact(NOON - HOUR)], new)
    assert (found is not None) is reached


@given(
    st.lists(st.integers(0, 20 * 24), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(1, 9), st.integers(1, 4)), min_size=1, max_size=3),
)
def test_room_is_found_where_there_first_is_any(
    hours: list[int], caps: list[tuple[int, int]]
) -> None:
    rules = pressure(caps=[{"per": f"{days}d", "max": most} for days, most in caps])
    contacts: list[Contact] = []
    for now in sorted(NOON + hour * HOUR for hour in hours):
        free = rules.room_at(contacts, contact(now))
        assert free is not None
        if rules.cap_reached(contacts, contact(now)) is None:
            assert free == now
            contacts.append(contact(now))
        else:
            assert rules.cap_reached(contacts, contact(free - 1)) is not None
            assert rules.cap_reached(contacts, contact(free)) is None
    for days, most in caps:
        for first, beyond in zip(contacts, contacts[most:], strict=False):
            assert beyond.at - first.at >= days * DAY
    assert all(one.at <= other.at for one, other in pairwise(contacts))


def test_where_nothing_may_be_sent_there_never_is_room() -> None:
    assert pressure(caps=[{"per": "1d", "max": 0}]).room_at([], contact(NOON)) is None


def test_a_message_beyond_a_cap_waits_for_room_if_its_campaign_chooses() -> None:
    customer = a_customer(contacts=[contact(NOON - 20 * HOUR)])
    campaign, customer, effects = begin(
        HELLO, customer=customer, pressure={"caps": "defer"}, holdout=0
    )
    assert done(effects) == [("0", "message", "deferred", "cap")]
    assert later(campaign, customer, NOON + 4 * HOUR - 1) == []
    [sent] = later(campaign, customer, NOON + 4 * HOUR)
    assert done([sent]) == [("0", "message", "decided", None)]
    assert [each["reason"] for each in sent.why["held"]] == ["cap"]  # type: ignore[union-attr]


def test_nothing_waits_longer_than_its_campaign_has_patience() -> None:
    customer = a_customer(contacts=[contact(NOON - HOUR)])
    holding = {"caps": "defer", "patience": "12h"}
    _, customer, effects = begin(HELLO, customer=customer, pressure=holding)
    assert done(effects) == [("0", "message", "skipped", "cap")]
    assert run_of(customer).state == "done"


def test_a_message_can_be_dropped_at_night() -> None:
    campaign, customer, _ = begin({"wait": "10h"}, HELLO, pressure={"quiet_hours": "drop"})
    effects = later(campaign, customer, NIGHT)
    assert done(effects) == [("1", "message", "skipped", "quiet_hours")]


def test_the_night_is_the_persons_own() -> None:
    person = a_customer(an_update(NOON - DAY, attributes={"timezone": "America/New_York"}))
    _, _, effects = begin(HELLO, customer=person)
    [message] = effects
    assert done(effects) == [("0", "message", "deferred", "quiet_hours")]
    assert message.due_at == at("2026-03-02T09:00-05:00")  # type: ignore[union-attr]


def test_order_notices_know_neither_night_nor_caps() -> None:
    customer = a_customer(contacts=[contact(NIGHT - HOUR)])
    campaign, customer, _ = begin(
        {"wait": "10h"}, HELLO, customer=customer, purpose="transactional"
    )
    assert done(later(campaign, customer, NIGHT, around(NIGHT))) == [
        ("1", "message", "decided", None)
    ]


# On PostgreSQL


def searched(number: int, now: Instant) -> Event:
    return an_event(f"custom.e{number}", now - MINUTE)


async def campaigns(instance: Instance, priorities: Mapping[int, int], **more: Any) -> None:
    for number, priority in priorities.items():
        trigger = {"on": "event", "type": f"custom.e{number}"}
        await instance.launch(
            {
                "key": f"c{number}",
                "name": "x",
                "trigger": trigger,
                "steps": [WORDS],
                "priority": priority,
                **more,
            }
        )


def hears(number: int, now: Instant) -> ProfileChanged:
    return a_change([searched(number, now)], identifiers=reachable())


async def messages(instance: Instance) -> list[tuple[str, str, str | None]]:
    """(campaign, state, reason) of each."""
    return sorted(
        (item.campaign, item.state, item.reason)
        for item in await instance.history()
        if item.kind in ("message", "entry")
    )


async def put(instance: Instance, **spec: Any) -> None:
    await instance.settings.put_pressure(msgspec.convert(spec, PressureSpec))


CAPS = [
    {"per": "P7D", "max": 3},
    {"per": "P1D", "max": 2},
    {"per": "P30D", "max": 1, "channel": "inbox"},
]


async def test_fifty_campaigns_at_once_over_two_instances_never_exceed_a_cap(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    await put(one, caps=CAPS)
    await campaigns(one, dict.fromkeys(range(25), 50))
    inbox = [{"message": {"template": "win-back-2", "channel": "inbox"}}]
    await campaigns(one, dict.fromkeys(range(25, 50), 50), steps=inbox)
    await asyncio.gather(
        *((one, two)[n % 2].deliver(hears(n, NOON)) for n in range(50)),
    )
    found = await one.fetch(
        "SELECT channel, count(*) FROM action WHERE state = 'decided' GROUP BY channel"
    )
    sent = dict(map(tuple, found))
    assert sum(sent.values()) == 2
    assert sent.get("inbox", 0) <= 1
    assert len(await messages(one)) == 50
    reasons = {reason for _, state, reason in await messages(one) if state == "skipped"}
    assert reasons == {"cap"}


async def test_in_the_morning_the_most_important_message_goes_first(instance: Instance) -> None:
    await campaigns(instance, {1: 10, 2: 90, 3: 50})
    instance.now = NIGHT
    for number in (1, 2, 3):
        await instance.deliver(hears(number, NIGHT))
    await instance.fire_due(MORNING)
    assert await messages(instance) == [
        ("c1", "skipped", "cap"),
        ("c2", "decided", None),
        ("c3", "skipped", "cap"),
    ]


async def test_within_the_window_the_more_important_wins_though_it_came_later(
    instance: Instance,
) -> None:
    await put(instance, caps=[{"per": "P1D", "max": 1}], arbitration="30s")
    await campaigns(instance, {1: 10, 2: 60, 3: 20, 9: 90})
    for seconds, number in enumerate((1, 2, 3)):
        instance.now = NOON + seconds * SECOND
        await instance.deliver(hears(number, instance.now))
    assert {state for _, state, _ in await messages(instance)} == {"deferred"}
    await instance.fire_due(NOON + 30 * SECOND)
    assert await messages(instance) == [
        ("c1", "skipped", "cap"),
        ("c2", "decided", None),
        ("c3", "skipped", "cap"),
    ]


async def test_nothing_can_come_before_the_most_important_so_it_waits_for_nobody(
    instance: Instance,
) -> None:
    await put(instance, caps=[{"per": "P1D", "max": 1}], arbitration="30s")
    await campaigns(instance, {1: 10, 9: 90})
    await instance.deliver(hears(1, NOON))
    await instance.deliver(hears(9, NOON))
    assert await messages(instance) == [
        ("c1", "deferred", "arbitration"),
        ("c9", "decided", None),
    ]
    await instance.fire_due(NOON + 30 * SECOND)
    assert (await messages(instance))[0] == ("c1", "skipped", "cap")


async def test_where_there_is_room_for_all_nothing_waits_for_another(instance: Instance) -> None:
    await put(instance, caps=[{"per": "P1D", "max": 2}], arbitration="30s")
    await campaigns(instance, {1: 10, 9: 90})
    await instance.deliver(hears(1, NOON))
    assert await messages(instance) == [("c1", "decided", None)]


async def test_what_waits_for_room_holds_none_of_it(instance: Instance) -> None:
    await put(instance, caps=[{"per": "P1D", "max": 1}])
    await campaigns(instance, {0: 50})
    await campaigns(instance, {1: 10, 2: 90}, pressure={"caps": "defer"})
    await instance.deliver(hears(0, NOON))
    instance.now = NOON + HOUR
    await instance.deliver(hears(1, NOON + HOUR))
    instance.now = NOON + 2 * HOUR
    await instance.deliver(hears(2, NOON + 2 * HOUR))
    await instance.fire_due(NOON + DAY)
    assert await messages(instance) == [
        ("c0", "decided", None),
        ("c1", "deferred", "cap"),
        ("c2", "decided", None),
    ]
    await instance.fire_due(NOON + 2 * DAY)
    assert ("c1", "decided", None) in await messages(instance)


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"caps": [{"per": "soon", "max": 1}]}, "/caps/0/per"),
        ({"quiet_hours": {"from": "09:00", "to": "09:00"}}, "/quiet_hours/to"),
        ({"holidays": {"from": "09:00", "to": "09:00"}}, "/holidays/to"),
        ({"arbitration": "soon"}, "/arbitration"),
        ({"arbitration": "2d"}, "/arbitration"),
    ],
)
async def test_pressure_that_makes_no_sense_is_refused(
    instance: Instance, spec: Mapping[str, Any], pointer: str
) -> None:
    with pytest.raises(Exception, match=pointer):
        await put(instance, **spec)
