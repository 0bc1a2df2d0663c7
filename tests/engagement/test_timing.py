"""Reorder dates, launches, pauses and ends: what time and operators bring about."""

import asyncio

import msgspec
import pytest

from services.engagement.store import reports
from tests.builders import a_cancellation, a_purchase, an_event, an_item
from tests.engagement.harness import NOON, Instance, a_change, a_crossing, reachable
from zhiyin.contracts.buying import CategoryTotals
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, Instant
from zhiyin.contracts.profiles import ProfileChanged
from zhiyin.runtime.problems import Problem

GIFT = {"key": "gift", "name": "x", "steps": [{"tag": "gifted"}]}
IN_SEGMENT = {**GIFT, "trigger": {"on": "segment.entered", "segment": "vip"}}
WAITING = {
    **GIFT,
    "trigger": {"on": "event", "type": "browse.searched"},
    "steps": [{"wait": "1d"}, {"tag": "gifted"}],
}
SEARCHED = an_event("browse.searched", NOON - MINUTE, query="nuts")


def a_pack(at: Instant, days: int = 30, sku: str = "EJ-250", **rest: bool) -> Event:
    item = an_item(sku, pack_days=days)
    return a_purchase(at, items=[item], order_id=f"{sku}-{at}", **rest)


def bought(*orders: Event) -> ProfileChanged:
    return a_change(orders, identifiers=reachable())


async def reminders(instance: Instance) -> list[str]:
    return [each.occurrence for each in instance.decided if each.campaign == "reorder-reminder"]


async def test_a_reorder_is_reminded_of_three_days_before_it_is_due(instance: Instance) -> None:
    await instance.deliver(bought(a_pack(NOON - MINUTE)))
    due = NOON - MINUTE + 30 * DAY
    await instance.fire_due(due - 3 * DAY - 1)
    assert await reminders(instance) == []
    await instance.fire_due(due - 3 * DAY)
    assert await reminders(instance) == [f"reorder:EJ-250:{due}"]


async def test_a_purchase_moves_the_reminder(instance: Instance) -> None:
    first, second = a_pack(NOON - MINUTE), a_pack(NOON + 10 * DAY)
    await instance.deliver(bought(first))
    instance.now = NOON + 10 * DAY
    await instance.deliver(bought(first, second))
    await instance.fire_due(NOON + 30 * DAY)
    assert await reminders(instance) == []
    await instance.fire_due(NOON + 38 * DAY)
    assert await reminders(instance) == [f"reorder:EJ-250:{NOON + 40 * DAY}"]


async def test_a_gift_makes_no_reorder_due(instance: Instance) -> None:
    await instance.deliver(bought(a_pack(NOON - MINUTE, gift=True)))
    assert await instance.fetch("SELECT 1 FROM reorder_watch") == []


async def test_a_date_that_passed_before_we_knew_is_recorded_as_stale(instance: Instance) -> None:
    await instance.deliver(bought(a_pack(NOON - 200 * DAY, imported=True)))
    await instance.fire_due(NOON + DAY)
    stale = [
        (item.kind, item.reason) for item in await instance.history() if item.reason != "import"
    ]
    assert stale == [("entry", "stale")]
    assert instance.decided == []


async def test_imported_history_with_a_date_to_come_is_reminded_of(instance: Instance) -> None:
    await instance.deliver(bought(a_pack(NOON - 20 * DAY, imported=True)))
    await instance.fire_due(NOON + 7 * DAY)
    assert len(await reminders(instance)) == 1


async def test_an_unrelated_purchase_after_the_date_came_does_not_swallow_the_reminder(
    instance: Instance,
) -> None:
    pack = a_pack(NOON - MINUTE)
    await instance.deliver(bought(pack))
    instance.now = NOON + 28 * DAY
    await instance.deliver(bought(pack, a_pack(NOON + 28 * DAY, sku="OTHER")))
    await instance.fire_due(NOON + 28 * DAY)
    assert len(await reminders(instance)) == 1


async def test_a_reminder_says_what_its_date_rests_on(instance: Instance) -> None:
    await instance.deliver(bought(a_pack(NOON - MINUTE)))
    await instance.fire_due(NOON + 30 * DAY)
    history = await instance.history()
    [sent] = [each for each in history if each.template == "reorder"]
    assert {"basis": "pack", "days": 30.0, "sure": "medium"}.items() <= sent.why.items()


async def test_a_refund_resets_the_reorder_date(instance: Instance) -> None:
    first, second = a_pack(NOON - MINUTE), a_pack(NOON + 10 * DAY)
    await instance.deliver(bought(first, second))
    back = a_cancellation(NOON + 11 * DAY, order_id=f"EJ-250-{NOON + 10 * DAY}")
    await instance.deliver(bought(first, second, back))
    await instance.fire_due(NOON + 28 * DAY)
    assert await reminders(instance) == [f"reorder:EJ-250:{NOON - MINUTE + 30 * DAY}"]


async def test_something_else_of_the_category_will_do_where_the_campaign_says_so(
    instance: Instance,
) -> None:
    trigger = {"on": "reorder.due", "lead": "3d", "substitutes": "category"}
    await instance.launch({**GIFT, "key": "any", "trigger": trigger})
    pack = a_pack(NOON - MINUTE)
    category = CategoryTotals(own_at=NOON + 10 * DAY)
    await instance.deliver(bought(pack))
    other = a_pack(NOON + 10 * DAY, sku="OTHER")
    await instance.deliver(
        a_change([pack, other], identifiers=reachable(), categories={"坚果": category})
    )
    await instance.fire_due(NOON + 28 * DAY)
    reminded = [each for each in instance.decided if each.occurrence.startswith("reorder:")]
    assert [each.campaign for each in reminded] == ["reorder-reminder"]


async def test_a_wait_for_the_same_product_looks_into_the_order(instance: Instance) -> None:
    wait = {"wait_for": {"event": "purchase.completed", "where": {"sku": {"trigger": "sku"}}}}
    steps = [{**wait, "timeout": "5d", "then": [{"tag": "met"}], "else": [{"tag": "not-met"}]}]
    await instance.launch({**GIFT, "trigger": {"on": "reorder.due"}, "steps": steps})
    pack = a_pack(NOON - MINUTE)
    await instance.deliver(bought(pack))
    await instance.fire_due(NOON + 27 * DAY)
    other = a_pack(NOON + 28 * DAY, sku="OTHER")
    await instance.deliver(bought(pack, other))
    await instance.deliver(bought(pack, other, a_pack(NOON + 29 * DAY)))
    assert [each.kind for each in instance.decided if each.campaign == "gift"] == ["tag"]
    [tag] = [each for each in await instance.history() if each.kind == "tag"]
    assert tag.data == {"tag": "met"}


async def test_a_new_reorder_campaign_dates_everybody(instance: Instance) -> None:
    await instance.deliver(bought(a_pack(NOON - MINUTE)))
    spec = {**GIFT, "key": "early", "trigger": {"on": "reorder.due", "lead": "10d"}}
    await instance.launch(spec)
    await instance.fire_due(NOON)
    await instance.fire_due(NOON + 20 * DAY)
    assert [each.campaign for each in instance.decided if each.kind == "tag"] == ["early"]


async def test_launching_can_enter_those_who_are_members_already(instance: Instance) -> None:
    for number in range(5):
        await instance.deliver(
            a_change([], profile_id=f"p-{number}", causes=[]),
            a_crossing("vip", profile_id=f"p-{number}", cause="backfill"),
        )
    await instance.deliver(a_crossing("vip", "left", profile_id="p-4", cause="time", at=NOON + 1))
    await instance.launch(IN_SEGMENT, include_current_members=True)
    await instance.fire_due(NOON)
    assert {each.profile_id for each in instance.decided} == {"p-0", "p-1", "p-2", "p-3"}
    await instance.editor.move("gift", "launch", "test", include_current_members=True)
    await instance.fire_due(NOON + 1)
    assert len(instance.decided) == 4


async def test_launching_enters_nobody_else_by_itself(instance: Instance) -> None:
    await instance.deliver(a_change([], causes=[]), a_crossing("vip", cause="backfill"))
    await instance.launch(IN_SEGMENT)
    await instance.fire_due(NOON)
    assert instance.decided == []


async def test_a_backfill_or_a_new_rule_is_no_news_about_a_person(instance: Instance) -> None:
    await instance.launch(IN_SEGMENT)
    await instance.deliver(a_change([], causes=[]))
    for cause in ("backfill", "rule", "merge"):
        await instance.deliver(a_crossing("vip", cause=cause))
    assert await instance.history() == []


async def test_a_paused_campaign_refuses_and_holds_and_goes_on_when_launched(
    instance: Instance,
) -> None:
    await instance.launch(WAITING)
    await instance.deliver(a_change([SEARCHED]))
    await instance.editor.move("gift", "pause", "test")
    await instance.deliver(a_change([SEARCHED], profile_id="p-2"))
    assert await instance.outcomes("p-2") == [("entry", "skipped", "paused")]
    await instance.fire_due(NOON + 2 * DAY)
    assert instance.decided == []
    await instance.editor.move("gift", "launch", "test")
    await instance.fire_due(NOON + 2 * DAY)
    assert [each.profile_id for each in instance.decided] == ["p-1"]


async def test_an_ended_campaign_lets_everybody_go(instance: Instance) -> None:
    await instance.launch(WAITING)
    await instance.deliver(a_change([SEARCHED]))
    await instance.editor.move("gift", "end", "test")
    await instance.fire_due(NOON)
    runs = await instance.fetch("SELECT state, reason FROM run")
    assert [tuple(run) for run in runs] == [("exited", "ended")]
    await instance.fire_due(NOON + 2 * DAY)
    assert instance.decided == []


async def test_those_on_their_way_finish_on_the_version_they_began(instance: Instance) -> None:
    await instance.launch(WAITING)
    await instance.deliver(a_change([SEARCHED]))
    stored = await instance.fetch("SELECT version FROM campaign WHERE key = 'gift'")
    assert stored[0][0] == 1
    await _update(instance, {**WAITING, "steps": [{"wait": "1d"}, {"tag": "other"}]})
    await instance.fire_due(NOON + DAY)
    assert [each.campaign_version for each in instance.decided] == [1]
    [event] = [e.message for e in instance.outgoing if e.message.topic == "events.customer"]
    assert b"gifted" in event.value


async def _update(instance: Instance, spec: object) -> None:
    await instance.editor.update(msgspec.convert(spec, CampaignSpec), "test")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["approve", "launch", "pause", "launch", "end"], None),
        (["launch", "launch", "pause", "pause", "end", "end"], None),
        (["pause"], "wrong_state"),
        (["launch", "approve"], "wrong_state"),
        (["end", "launch"], "wrong_state"),
    ],
)
async def test_states_follow_each_other(
    instance: Instance, words: list[str], code: str | None
) -> None:
    async def say() -> str | None:
        for word in words:
            try:
                await instance.editor.move("drafted", word, "test")
            except Problem as problem:
                return problem.code
        return None

    spec = msgspec.convert({**IN_SEGMENT, "key": "drafted"}, CampaignSpec)
    await instance.editor.create(spec, "test")
    assert await say() == code


async def test_two_instances_never_exceed_a_persons_cap(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    steps = [{"message": {"template": "win-back-2", "channel": "sms"}}]
    for number in range(6):
        trigger = {"on": "event", "type": f"custom.e{number}"}
        await one.launch({"key": f"c{number}", "name": "x", "trigger": trigger, "steps": steps})
    events = [an_event(f"custom.e{number}", NOON - MINUTE) for number in range(6)]
    await asyncio.gather(
        *(
            (one if number % 2 else two).deliver(
                a_change(events, causes=[event], identifiers=reachable())
            )
            for number, event in enumerate(events)
        )
    )
    states = [item.state for item in await one.history() if item.kind == "message"]
    assert states.count("decided") == 1
    reasons = {item.reason for item in await one.history() if item.kind == "entry"}
    assert reasons == {"cap"}


async def test_a_wait_that_ends_while_the_event_comes_ends_once(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    old = a_purchase(NOON - 90 * DAY, total="300.00", imported=True)
    back = a_purchase(NOON + 7 * DAY - HOUR, order_id="back")
    await one.deliver(a_change([old], identifiers=reachable()), a_crossing())
    two.now = NOON + 7 * DAY
    await asyncio.gather(
        one.fire_due(NOON + 7 * DAY),
        two.deliver(a_change([old, back], identifiers=reachable())),
    )
    runs = await one.fetch("SELECT state, reason FROM run WHERE campaign = 'win-back-90d'")
    steps = [item.step for item in await one.history() if item.campaign == "win-back-90d"]
    assert [tuple(run) for run in runs] in ([("exited", "exit_on")], [("done", None)])
    assert steps.count("2.else.0") == (1 if tuple(runs[0]) == ("done", None) else 0)


async def test_dates_that_had_passed_are_counted_in_one_row_and_once(instance: Instance) -> None:
    packs = [a_pack(NOON - 200 * DAY, imported=True, sku=f"S{each}") for each in range(20)]
    await instance.deliver(bought(*packs))
    again = a_pack(NOON - 100 * DAY, imported=True, sku="S3")
    await instance.deliver(bought(*packs, again))
    await instance.deliver(bought(*packs, again))
    stale = [
        (item.occurrence, item.reason, item.times)
        for item in await instance.history()
        if item.campaign == "reorder-reminder"
    ]
    assert stale == [("missed", "stale", 21)]
    async with instance.db.connection() as connection:
        found = await reports.decisions(connection, "reorder-reminder")
    assert [(each.reason, each.count) for each in found] == [("stale", 21)]


async def test_a_reminder_that_was_given_is_not_counted_as_missed(instance: Instance) -> None:
    pack = a_pack(NOON - MINUTE)
    await instance.deliver(bought(pack))
    await instance.fire_due(NOON + 28 * DAY)
    await instance.deliver(bought(pack, a_purchase(NOON + 28 * DAY, order_id="other")))
    found = [item for item in await instance.history() if item.campaign == "reorder-reminder"]
    assert [(item.kind, item.state) for item in found] == [("message", "decided")]
