"""What steps do with somebody: points, tags, tasks and waits by the clock."""

from typing import Any

import msgspec

from services.engagement.domain.advance import happened
from services.engagement.domain.customer import Action
from services.engagement.domain.walk import TagChange
from tests.builders import an_event, an_update
from tests.engagement.harness import NOON, Instance, a_change, cause_of, reachable
from tests.engagement.test_decisions import a_customer, around
from tests.engagement.test_journeys import begin, done, later, run_of
from zhiyin.contracts.events import decode_event
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, rfc3339

SEARCHED = an_event("browse.searched", NOON - MINUTE, query="nuts")


def only(effects: list[Any]) -> Action:
    [action] = [each for each in effects if isinstance(each, Action)]
    return action


def test_points_are_said_with_what_they_are_for() -> None:
    _, _, effects = begin({"points": {"amount": 100, "reason": "生日"}})
    assert done(effects) == [("0", "points", "sent", None)]
    assert only(effects).data == {"points": 100, "reason": "生日"}


def test_a_tag_may_last_or_be_taken_away() -> None:
    _, _, effects = begin({"tag": {"add": "a", "lasts": "30d"}}, {"tag": {"remove": "b"}})
    changes = [each for each in effects if isinstance(each, TagChange)]
    assert [(each.tag, each.removes, each.until) for each in changes] == [
        ("a", False, NOON + 30 * DAY),
        ("b", True, None),
    ]


def test_a_task_names_the_customer_and_when_it_is_due() -> None:
    named = a_customer(an_update(NOON - DAY, attributes={"name": "王芳"}))
    step = {
        "title": "致电 {{ profile.attributes.name.value }}",
        "note": "她搜索了 {{ trigger.query }}",
        "team": "care",
        "due": "4h",
    }
    _, customer, effects = begin({"task": step}, customer=named)
    assert only(effects).data == {
        "title": "致电 王芳",
        "note": "她搜索了",
        "assignee": None,
        "team": "care",
        "due_at": rfc3339(NOON + 4 * HOUR),
    }
    assert run_of(customer).context["task"]["action_id"] == str(only(effects).action_id)


def test_a_wait_until_ten_ends_at_ten_by_the_persons_clock() -> None:
    # Noon in Shanghai is 10:00 in Urumqi's official clock less two hours.
    person = a_customer(an_update(NOON - DAY, attributes={"timezone": "Asia/Urumqi"}))
    campaign, customer, _ = begin({"wait": {"until": "12:00"}}, {"tag": "a"}, customer=person)
    assert later(campaign, customer, NOON + 2 * HOUR - 1) == []
    assert done(later(campaign, customer, NOON + 2 * HOUR)) == [("1", "tag", "sent", None)]


async def test_each_step_takes_effect_once_though_the_batch_is_repeated(
    instance: Instance,
) -> None:
    await instance.launch(
        {
            "key": "all",
            "name": "x",
            "trigger": {"on": "event", "type": "browse.searched"},
            "steps": [
                {"points": 10},
                {"tag": "a"},
                {"tag": {"remove": "b"}},
                {"task": {"title": "call"}},
            ],
        }
    )
    change = a_change([SEARCHED], identifiers=reachable())
    await instance.die_delivering(change)
    await instance.deliver(change)
    await instance.deliver(change)
    kinds = [each.kind for each in instance.decided]
    assert sorted(kinds) == ["points", "tag", "tag", "task"]
    [points] = [each for each in instance.decided if each.kind == "points"]
    assert msgspec.msgpack.decode(points.data) == {"points": 10, "reason": ""}
    events = [e.message for e in instance.outgoing if e.message.topic == "events.customer"]
    decoded = [decode_event(each.value) for each in events]
    assert [each.type for each in decoded] == ["customer.tagged", "customer.untagged"]
    assert {each.event_id for each in decoded} == {
        each.action_id for each in instance.decided if each.kind == "tag"
    }


def test_a_journey_may_wait_for_its_own_task_to_be_done() -> None:
    wait = {
        "wait_for": {"event": "custom.task_done", "where": {"action_id": {"task": "action_id"}}},
        "timeout": "2d",
        "then": [{"tag": "called"}],
        "else": [{"tag": "forgotten"}],
    }
    campaign, customer, effects = begin({"task": {"title": "call"}}, wait)
    expected: list[tuple[str, list[str]]] = [
        ("another", []),
        (str(only(effects).action_id), ["1.then.0"]),
    ]
    for task_id, led_to in expected:
        task_done = cause_of(an_event("custom.task_done", NOON + HOUR, action_id=task_id))
        found = happened(run_of(customer), task_done, campaign, customer, around(NOON + HOUR))
        assert [each[0] for each in done(found)] == led_to
