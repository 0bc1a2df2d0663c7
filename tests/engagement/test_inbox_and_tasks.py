"""Messages that lie in an inbox, and what staff are given to do."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.builders import an_event
from tests.engagement.calling import calling
from tests.engagement.harness import NOON, Instance, a_change, an_instance, reachable
from tests.engagement.test_delivery import SEARCHED, a_campaign, delivering, settled
from zhiyin.contracts.campaigns import ChannelSpec
from zhiyin.contracts.instants import DAY, HOUR, MINUTE

LETTER = {"message": {"template": "complaint-received", "channel": "inbox"}}
TASK = {"task": {"title": "致电 {{ profile.attributes.name.value }}", "team": "hz", "due": "2h"}}


async def a_letter(instance: Instance, keep: str = "7d") -> str:
    await instance.settings.put_channel("inbox", ChannelSpec("inbox", {"keep": keep}))
    await a_campaign(instance, LETTER, purpose="care")
    await instance.deliver(a_change([SEARCHED], profile_id="p-0", identifiers=reachable()))
    async with delivering(instance):
        await settled(instance)
    return instance.decided[0].action_id


async def test_a_message_lies_in_the_inbox_until_it_is_read_clicked_or_its_time_is_over(
    instance: Instance,
) -> None:
    message_id = await a_letter(instance)
    async with calling(instance) as api:
        page = (await api.get("/v1/profiles/p-0/inbox")).json()
        assert (page["unread"], page["next_cursor"]) == (1, None)
        [letter] = page["items"]
        assert (letter["id"], letter["read_at"]) == (message_id, None)
        assert letter["subject"] == "我们收到了您的反馈"
        place = f"/v1/profiles/p-0/inbox/{message_id}"
        clicked = (await api.post(f"{place}/click")).json()
        assert clicked["read_at"] == clicked["clicked_at"]
        assert (await api.post(f"{place}/read")).json() == clicked
        assert (await api.get("/v1/profiles/p-0/inbox?unread=true")).json()["items"] == []
        about = {"action_id": message_id, "channel": "inbox"}
        assert instance.told.said() == [
            ("engagement.opened", about), ("engagement.clicked", about)
        ]  # fmt: skip
        instance.now += 8 * DAY
        assert (await api.get("/v1/profiles/p-0/inbox")).json()["items"] == []
        assert (await api.post(f"{place}/read")).status_code == 410


async def test_nobody_reads_another_persons_message(instance: Instance) -> None:
    message_id = await a_letter(instance)
    async with calling(instance) as api:
        for place in (f"p-1/inbox/{message_id}", "p-0/inbox/nonsense"):
            assert (await api.post(f"/v1/profiles/{place}/read")).status_code == 404
    assert instance.told.said() == []


async def test_after_a_merge_the_message_lies_in_the_kept_persons_inbox(
    instance: Instance,
) -> None:
    message_id = await a_letter(instance)
    await instance.deliver(a_change([], profile_id="p-0", causes=[], merged_into="p-9"))
    async with calling(instance) as api:
        for who in ("p-9", "p-0"):
            page = (await api.get(f"/v1/profiles/{who}/inbox")).json()
            assert [each["id"] for each in page["items"]] == [message_id]


async def test_erasing_a_person_empties_the_inbox_and_takes_their_tasks(
    instance: Instance,
) -> None:
    await a_letter(instance)
    await a_task(instance)
    await instance.deliver(a_change([], profile_id="p-0", causes=[], erased=True))
    for table in ("inbox", "task", "link"):
        assert await instance.fetch(f"SELECT 1 FROM {table}") == []


async def a_task(instance: Instance) -> str:
    await a_campaign(instance, TASK, key="caring", trigger=ADDED)
    added = an_event("browse.carted", NOON - MINUTE, sku="A")
    await instance.deliver(a_change([SEARCHED, added], profile_id="p-0", identifiers=reachable()))
    return next(each.action_id for each in instance.decided if each.kind == "task")


ADDED = {"on": "event", "type": "browse.carted"}


async def deed(api: httpx.AsyncClient, task: str, path: str, by: str) -> httpx.Response:
    return await api.post(f"/v1/tasks/{task}/{path}", json={"by": by, "outcome": "reached"})


async def test_a_task_is_claimed_by_one_handed_back_and_done(instance: Instance) -> None:
    task = await a_task(instance)
    async with calling(instance) as api:
        [shown] = (await api.get("/v1/tasks?team=hz&state=open")).json()["items"]
        assert (shown["task_id"], shown["due_at"]) == (task, "2026-03-02T06:00:00Z")
        assert (await deed(api, task, "hand-back", "lin")).json()["code"] == "not_claimed"
        both = await asyncio.gather(*(deed(api, task, "claim", who) for who in ("lin", "wu")))
        assert sorted(each.status_code for each in both) == [200, 409]
        winner = next(each for each in both if each.status_code == 200).json()["assignee"]
        loser = {"lin": "wu", "wu": "lin"}[winner]
        assert (await deed(api, task, "done", loser)).json()["code"] == "task_claimed"
        assert (await deed(api, task, "hand-back", winner)).json()["state"] == "open"
        assert (await deed(api, task, "claim", loser)).status_code == 200
        done = (await deed(api, task, "done", loser)).json()
        assert (await deed(api, task, "done", loser)).json() == done
        assert (await deed(api, task, "claim", winner)).json()["code"] == "task_done"
        assert [each["deed"] for each in done["log"]] == ["claim", "hand_back", "claim", "done"]
        assert (await api.get("/v1/tasks?state=open")).json()["items"] == []
    [(kind, said)] = instance.told.said()
    assert (kind, said["outcome"], said["assignee"]) == ("custom.task_done", "reached", loser)


async def test_a_task_that_is_late_is_told_of_once_and_listed(instance: Instance) -> None:
    task = await a_task(instance)
    async with calling(instance) as api:
        assert (await api.get("/v1/tasks?overdue=true")).json()["items"] == []
        instance.now += 3 * HOUR
        board = instance.taskboard
        assert [await board.tell_overdue(), await board.tell_overdue()] == [1, 0]
        [late] = (await api.get("/v1/tasks?overdue=true")).json()["items"]
    assert (late["task_id"], late["overdue"]) == (task, True)
    assert [kind for kind, _ in instance.told.said()] == ["custom.task_overdue"]


@pytest.fixture(scope="module")
async def untouched_api(module_database: str) -> AsyncIterator[httpx.AsyncClient]:
    async with an_instance(module_database) as instance, calling(instance) as api:
        yield api


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("nonsense/claim", {"by": "lin"}, 404),
        ("00000000-0000-0000-0000-000000000000/claim", {"by": "lin"}, 404),
        ("00000000-0000-0000-0000-000000000000/claim", {}, 422),
        ("00000000-0000-0000-0000-000000000000/done", {"by": "lin", "outcome": 5}, 422),
    ],
)
async def test_deeds_that_cannot_be_are_refused(
    untouched_api: httpx.AsyncClient, path: str, body: dict[str, object], status: int
) -> None:
    assert (await untouched_api.post(f"/v1/tasks/{path}", json=body)).status_code == status
