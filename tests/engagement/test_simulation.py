"""Trials on history against the live platform on the same history."""

from random import Random
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from services.engagement.domain.acts import ANYTHING
from services.engagement.domain.build import build_campaign
from services.engagement.domain.campaign import Campaign
from services.engagement.domain.customer import MISSED
from services.engagement.domain.simulation.budgets import Budgets
from services.engagement.domain.simulation.memberships import Unreplayable
from services.engagement.domain.simulation.relived import Relived
from services.engagement.domain.simulation.scenario import Scenario, of_campaign, of_segment
from services.profile.domain.policy import PLAIN
from services.profile.domain.reliving import relive
from services.profile.domain.tag_set import TagSet
from tests.builders import START, a_purchase, an_event, an_item
from tests.engagement.harness import Instance
from tests.engagement.virtual import VirtualPlatform
from tests.profile.events import read_all
from tests.segmentation.people import rules_of
from tests.segmentation.years import a_year
from zhiyin.contracts.campaigns import CampaignSpec, CouponTemplateSpec
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, Instant, instant, moment
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.replays import Life, ReplayPage, decode_replay_page
from zhiyin.rules import Options

SEGMENTS = {
    "quiet-20d": {"last": {"event": "purchase.completed"}, "older_than": "20d"},
    "buyers": {"fact": "orders.count", "op": "gte", "value": 1},
    "quiet-buyers": {"all": [{"segment": "buyers"}, {"segment": "quiet-20d"}]},
}
BOUGHT = {"event": "purchase.completed"}
SMS = {"message": {"channel": "sms", "template": "win-back"}}
CAMPAIGNS: list[dict[str, Any]] = [
    {
        "key": "back",
        "trigger": {"on": "segment.entered", "segment": "quiet-buyers"},
        "reentry": "P30D",
        "steps": [
            {"coupon": "few"},
            SMS,
            {"wait_for": BOUGHT, "timeout": "7d", "else": [SMS], "then": [{"tag": "came"}]},
        ],
        "goal": {**BOUGHT, "within": "10d"},
    },
    {
        "key": "looked",
        "trigger": {"on": "event", "type": "browse.viewed"},
        "where": {"fact": "orders.count", "op": "gte", "value": 1},
        "priority": 80,
        "steps": [
            {"wait": "2h"},
            {"if": {"segment": "quiet-20d"}, "then": [{"coupon": "few"}]},
            SMS,
        ],
        "exit_on": BOUGHT,
    },
    {
        "key": "again",
        "trigger": {"on": "reorder.due", "lead": "3d", "substitutes": "category"},
        "steps": [{"message": {"channel": "inbox", "template": "reorder"}}],
    },
    {
        "key": "moon",
        "trigger": {"on": "date", "festival": "mid-autumn", "offset": "-3d"},
        "steps": [SMS],
    },
    {
        "key": "mondays",
        "trigger": {"on": "schedule", "cron": "0 11 * * 1", "segment": "quiet-buyers"},
        "reentry": "P20D",
        "steps": [{"message": {"channel": "inbox", "template": "win-back"}}],
    },
]
SINCE, UNTIL = START - HOUR, START + 370 * DAY
PEOPLE = 8


def a_life(number: int, random: Random) -> list[Event]:
    """Somebody's year, with regular orders of a pack among the rest, and a phone."""
    who = {"member_id": f"M{number}", "phone": f"t{number}"}
    told = [
        replace(event, customer=who, event_id=f"{number}-{event.event_id}")
        for event in a_year(random)
    ]
    for turn in range(random.randrange(5)):
        at = START + random.randrange(300 * 24) * HOUR + turn + number * MINUTE
        item = an_item("EJ", category="阿胶糕", pack_days=30)
        told.append(
            a_purchase(at, order_id=f"{number}-P{turn}", items=[item], customer=who, total="90")
        )
    return sorted(told, key=lambda event: event.occurred_at)


def spec_of(campaign: dict[str, Any]) -> CampaignSpec:
    return msgspec.convert({"name": "x", "holdout": 0.1, **campaign}, CampaignSpec)


def built(campaign: dict[str, Any]) -> Campaign:
    spec = spec_of(campaign)
    return build_campaign(spec, ANYTHING, Options(), version=1, state="live")


async def a_scenario(instance: Instance, key: str = "back", **rest: Any) -> Scenario:
    async with instance.db.connection() as connection:
        current = await instance.catalogs.current(connection)
    tried = rest.pop("campaign", None) or current.campaigns[key]
    span = {"since": SINCE, "until": UNTIL, **rest}
    return of_campaign(
        current, tried, SEGMENTS, span["since"], span["until"], Options(), alongside=True
    )


def life_of(events: list[Event], since: Instant = SINCE, until: Instant = UNTIL) -> Life:
    profile_id = f"p-{events[0].customer['member_id']}"
    return relive(profile_id, read_all(*events), TagSet(), PLAIN, since, until)


def relived(scenario: Scenario, life: Life, budgets: Budgets | None = None) -> Relived:
    found = Relived(scenario, life, budgets or Budgets({}))
    found.run()
    return found


async def set_up(instance: Instance, budget: int | None = None) -> None:
    await instance.end_built_in()
    template = CouponTemplateSpec(key="few", kind="amount", value=10, budget=budget, per_person=3)
    await instance.settings.add_coupon_template(template)
    instance.now = SINCE
    for campaign in CAMPAIGNS:
        await instance.launch(campaign | {"name": "x", "holdout": 0.1})


async def test_a_trial_decides_and_does_what_the_live_platform_did(instance: Instance) -> None:
    await set_up(instance)
    random = Random(20260301)
    lives = [a_life(number, random) for number in range(PEOPLE)]
    platform = VirtualPlatform(instance, rules_of(SEGMENTS))
    events = sorted((e for life in lives for e in life), key=lambda e: e.occurred_at)
    await platform.live(events, UNTIL - 1)
    tried: set[tuple[Any, ...]] = set()
    done: set[tuple[Any, ...]] = set()
    for life in lives:
        person = relived(await a_scenario(instance), life_of(life))
        tried |= {
            (d.profile_id, d.campaign, d.occurrence, d.at, d.reason)
            for d in person.customer.decisions
            if d.occurrence != MISSED
        }
        done |= {
            (a.action_id, a.campaign, a.step, a.kind, a.reason)
            for a in person.actions
            if a.state != "deferred"
        }
    live = await instance.fetch(
        "SELECT profile_id, campaign, occurrence, at, reason FROM decision WHERE occurrence <> $1",
        MISSED,
    )
    assert tried == {tuple(row) for row in live}
    acted = await instance.fetch(
        "SELECT action_id, campaign, step, kind, reason FROM action WHERE state <> 'deferred'"
    )
    assert {str(row[0]) for row in acted} == {str(row[0]) for row in done}
    assert {tuple(row[1:]) for row in acted} == {row[1:] for row in done}
    reasons = {row[4] for row in live}
    assert {None, "condition", "holdout", "cap"} <= reasons
    assert {row[1] for row in live} == {campaign["key"] for campaign in CAMPAIGNS}


async def test_nothing_later_is_known_at_any_step(instance: Instance) -> None:
    """Cutting the future off changes nothing of what was decided before."""
    await set_up(instance)
    random = Random(4)
    middle = START + 150 * DAY
    scenario = await a_scenario(instance, until=middle)
    whole = await a_scenario(instance)
    for number in range(6):
        events = a_life(number, random)
        cut = [event for event in events if instant(event.occurred_at) < middle]
        if not cut:
            continue
        shorter = relived(scenario, life_of(cut, until=middle)).customer.decisions
        longer = relived(whole, life_of(events)).customer.decisions
        assert shorter == [each for each in longer if each.at < middle]


async def test_budgets_end_when_they_would_have_ended_for_all_together(
    instance: Instance,
) -> None:
    await set_up(instance, budget=4)
    random = Random(20260301)
    lives = [a_life(number, random) for number in range(PEOPLE)]
    events = sorted((e for life in lives for e in life), key=lambda e: e.occurred_at)
    await VirtualPlatform(instance, rules_of(SEGMENTS)).live(events, UNTIL - 1)
    scenario = await a_scenario(instance)
    budgets: Budgets | None = Budgets({"few": 4})
    runs = 0
    tried: set[tuple[Any, ...]] = set()
    while budgets is not None:
        runs += 1
        people = [relived(scenario, life_of(life), budgets) for life in lives]
        for person in people:
            for coupon in person.coupons:
                budgets.issued(coupon.template, coupon.profile_id, coupon.issued_at)
        tried = {
            (d.profile_id, d.campaign, d.occurrence, d.reason)
            for person in people
            for d in person.customer.decisions
            if d.occurrence != MISSED
        }
        budgets = budgets.next_run()
    live = await instance.fetch(
        "SELECT profile_id, campaign, occurrence, reason FROM decision WHERE occurrence <> $1",
        MISSED,
    )
    assert tried == {tuple(row) for row in live}
    assert runs == 2
    assert (await instance.fetch("SELECT count(*) FROM coupon"))[0][0] == 4


async def test_what_came_late_is_known_late_and_what_was_loaded_as_if_it_had_been_there(
    instance: Instance,
) -> None:
    await set_up(instance)
    at = START + 10 * DAY
    customer = {"member_id": "M1"}
    prompt = a_purchase(at, customer=customer, order_id="A")
    late = replace(
        a_purchase(at + HOUR, customer=customer, order_id="B"), received_at=moment(at + 3 * DAY)
    )
    loaded = replace(
        a_purchase(at + 2 * HOUR, customer=customer, order_id="C"),
        received_at=moment(at + 300 * DAY),
    )
    life = life_of([prompt, late, loaded])
    assert [step.at for step in life.steps] == [at, at + 2 * HOUR, at + 3 * DAY]
    cut = life_of([prompt, late, loaded], since=at + DAY)
    assert cut.known
    assert decode_replay_page(encode(ReplayPage([cut, life], None, 2))).lives == [cut, life]
    assert [step.at for step in cut.steps] == [at + 3 * DAY]


async def test_who_was_in_before_does_not_enter_and_who_leaves_and_comes_back_does(
    instance: Instance,
) -> None:
    await set_up(instance)
    customer = {"member_id": "M1", "phone": "t1"}
    orders = [a_purchase(START + day * DAY, customer=customer) for day in (0, 60)]
    scenario = await a_scenario(instance, since=START + 40 * DAY)
    found = relived(scenario, life_of(orders, since=START + 40 * DAY))
    assert found.was_inside == {"quiet-buyers", "quiet-20d", "buyers"}
    entered = [each.at for each in found.customer.decisions if each.campaign == "back"]
    assert entered == [START + 80 * DAY + 1]


async def test_a_draft_segment_is_tried_with_the_segments_it_reads(instance: Instance) -> None:
    async with instance.db.connection() as connection:
        current = await instance.catalogs.current(connection)
    rule = {"all": [{"segment": "quiet-buyers"}, {"fact": "orders.count", "op": "gte", "value": 2}]}
    scenario = of_segment(current, rule, SEGMENTS, SINCE, UNTIL, Options())
    orders = [a_purchase(START + day * DAY, order_id=f"{day}") for day in (0, 60, 100)]
    found = relived(scenario, life_of(orders))
    moved = [(c.entered, (c.at - START) // DAY) for c in found.crossed if c.segment == " draft"]
    assert moved == [(True, 80), (False, 100), (True, 120)]


async def test_what_history_does_not_tell_is_refused(instance: Instance) -> None:
    async with instance.db.connection() as connection:
        current = await instance.catalogs.current(connection)
    fifths = {"fact": "quintiles.r", "op": "gte", "value": 4}
    with pytest.raises(Unreplayable, match="best"):
        of_segment(current, {"segment": "best"}, {"best": fifths}, SINCE, UNTIL, Options())


def test_an_event_of_anonymous_people_is_relived_too() -> None:
    seen = an_event("browse.viewed", START, customer={"anonymous_id": "a"}, kind="product")
    assert len(relive("p", read_all(seen), TagSet(), PLAIN, SINCE, UNTIL).steps) == 1
