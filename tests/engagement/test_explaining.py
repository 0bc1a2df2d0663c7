"""The whole story of somebody in a campaign."""

from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from tests.builders import a_purchase, an_event, an_update
from tests.engagement.harness import NIGHT, NOON, Instance, a_change, reachable
from tests.engagement.test_triggers import BIRTHDAY, MORNINGS, born
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, Instant, rfc3339

RICH = {
    "all": [
        {"fact": "orders.total", "op": "gte", "value": "200"},
        {"fact": "attributes.city", "op": "eq", "value": "杭州"},
    ]
}
JOURNEY: Mapping[str, Any] = {
    "key": "gift",
    "name": "礼物",
    "trigger": {"on": "event", "type": "browse.searched"},
    "where": RICH,
    "holdout": 0,
    "steps": [
        {"message": {"template": "win-back-2", "channel": "sms"}},
        {"wait_for": {"event": "purchase.completed"}, "timeout": "7d", "then": [{"points": 5}]},
        {"wait": "2d"},
        {"tag": "given"},
    ],
}


def searching(now: Instant, *, total: str = "300.00", city: str = "杭州") -> Any:
    events = [
        a_purchase(NOON - DAY, total=total, imported=True),
        an_update(NOON - DAY, attributes={"city": city}),
        an_event("browse.searched", now - MINUTE, query="nuts"),
    ]
    return a_change(events, identifiers=reachable())


async def story(client: httpx.AsyncClient, key: str = "gift") -> dict[str, Any]:
    answer = await client.get(f"/v1/campaigns/{key}/explain/p-1")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_a_story_tells_which_clause_kept_somebody_out(
    instance: Instance,
    api: httpx.AsyncClient,
) -> None:
    await instance.launch(JOURNEY)
    await instance.deliver(searching(NOON, city="上海"))
    told = await story(api)
    [once] = told["occurrences"]
    assert (once["entered"], once["reason"]) == (False, "condition")
    assert [(each["pointer"], each["matches"]) for each in once["where"]] == [
        ("/where/all/0", True),
        ("/where/all/1", False),
    ]
    assert "上海" not in str(once["where"])
    assert "杭州" in once["where"][1]["words"]["zh"]
    assert once["journey"] is None
    assert told["sentence"]["en"].startswith("Not entered at 2026-03-02 12:00:00: the condition")
    assert "未进入：不符合条件" in told["sentence"]["zh"]
    assert told["now"]["reason"] == "condition"
    assert told["now"]["where"]["clauses"][1]["value"] == "上海"


async def test_a_story_tells_what_was_done_and_what_comes_next(
    instance: Instance,
    api: httpx.AsyncClient,
) -> None:
    await instance.launch(JOURNEY)
    await instance.deliver(searching(NOON))
    told = await story(api)
    [once] = told["occurrences"]
    assert [(each["step"], each["kind"], each["state"]) for each in once["steps"]] == [
        ("0", "message", "decided")
    ]
    assert once["next"] == [
        {"on": "event", "at": None, "step": "1.then.0", "kind": "points",
         "event": "purchase.completed"},
        {"on": "timeout", "at": rfc3339(NOON + 7 * DAY), "step": "2", "kind": "wait"},
    ]  # fmt: skip
    assert once["journey"]["state"] == "active"
    assert told["now"] == told["now"] | {"would_enter": False, "reason": "reentry"}
    await instance.fire_due(NOON + 7 * DAY)
    assert (await story(api))["occurrences"][0]["next"] == [
        {"on": "time", "at": rfc3339(NOON + 9 * DAY), "step": "3", "kind": "tag"}
    ]
    await instance.fire_due(NOON + 9 * DAY)
    over = (await story(api))["occurrences"][0]
    assert (over["journey"]["state"], over["next"]) == ("done", [])
    assert "旅程已走完" in over["sentence"]["zh"]


async def test_a_story_tells_how_long_a_message_waits_and_that_it_waited(
    instance: Instance,
    api: httpx.AsyncClient,
) -> None:
    await instance.launch(JOURNEY)
    instance.now = NIGHT
    await instance.deliver(searching(NIGHT))
    morning = NIGHT + 11 * HOUR
    [once] = (await story(api))["occurrences"]
    assert once["steps"][0]["reason_words"]["zh"] == "处于免打扰时段"
    assert once["next"] == [
        {"on": "quiet_hours", "at": rfc3339(morning), "step": "0", "kind": "message"}
    ]
    await instance.fire_due(morning)
    [once] = (await story(api))["occurrences"]
    assert once["steps"][0]["why"]["held"] == [
        {"reason": "quiet_hours", "at": rfc3339(NIGHT), "until": rfc3339(morning)}
    ]


async def test_a_story_tells_the_day_that_is_waited_for(
    instance: Instance,
    api: httpx.AsyncClient,
) -> None:
    await instance.launch(BIRTHDAY)
    await instance.deliver(born("1990-05-12"))
    told = await story(api)
    assert told["expected"] == [
        {
            "on": "date",
            "what": "date:attributes.birthday:2026",
            "due": "2026-05-12",
            "at": "2026-05-09T01:00:00Z",
        }
    ]
    assert told["occurrences"] == []
    assert told["sentence"]["zh"] == "活动从未考虑过此客户。"


async def test_a_story_tells_when_a_schedule_comes_next(
    instance: Instance, api: httpx.AsyncClient
) -> None:
    await instance.launch(MORNINGS)
    await instance.deliver(born("1990-05-12"))
    at = "2026-03-03T01:30:00Z"
    assert (await story(api))["expected"] == [
        {"on": "schedule", "what": "vip", "due": at, "at": at}
    ]


async def test_a_story_keeps_to_the_version_it_was_decided_on(
    instance: Instance,
    api: httpx.AsyncClient,
) -> None:
    await instance.launch(JOURNEY)
    await instance.deliver(searching(NOON))
    changed = {**JOURNEY, "where": {"tag": "vip"}, "steps": [{"tag": "other"}]}
    await instance.editor.update(msgspec.convert(changed, CampaignSpec), "test")
    [once] = (await story(api))["occurrences"]
    assert (once["version"], len(once["where"])) == (1, 2)
    assert once["next"][1]["step"] == "2"


async def test_what_nobody_knows_has_no_story(
    instance: Instance,
    api: httpx.AsyncClient,
) -> None:
    for path in ("/v1/campaigns/none/explain/p-1", "/v1/campaigns/win-back-90d/explain/nobody"):
        assert (await api.get(path)).status_code == 404
