"""Versions and approval: what an update means for those inside, and who may let it live."""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from services.engagement.editor import Editor
from services.engagement.settings import Approval
from tests.builders import an_event
from tests.engagement.harness import NIGHT, NOON, PARTITIONS, Instance, a_change, reachable
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.contracts.instants import DAY, HOUR, MINUTE
from zhiyin.runtime.problems import Problem

SEARCHED = an_event("browse.searched", NOON - MINUTE, query="nuts")
FIRST: Mapping[str, Any] = {
    "key": "gift",
    "name": "x",
    "trigger": {"on": "event", "type": "browse.searched"},
    "steps": [{"wait": "1d"}, {"tag": "first"}],
}
HELLO = {"message": {"template": "win-back-2", "channel": "sms"}}


async def update(instance: Instance, **change: Any) -> None:
    spec = msgspec.convert({**FIRST, **change}, CampaignSpec)
    await instance.editor.update(spec, "test")


def tags(instance: Instance) -> list[tuple[int, str]]:
    return [
        (each.campaign_version, msgspec.msgpack.decode(each.data)["tag"])
        for each in instance.decided
        if each.kind == "tag"
    ]


async def test_those_inside_move_to_the_new_version_if_it_says_so(instance: Instance) -> None:
    await instance.launch(FIRST)
    await instance.deliver(a_change([SEARCHED]))
    await update(instance, steps=[{"wait": "9d"}, {"tag": "second"}], inside="move")
    await instance.fire_due(NOON + DAY)
    assert tags(instance) == [(2, "second")]


async def test_those_whose_step_is_gone_finish_on_their_own_version(instance: Instance) -> None:
    await instance.launch(FIRST)
    await instance.deliver(a_change([SEARCHED]))
    await update(instance, steps=[{"tag": "second"}], inside="move")
    await instance.fire_due(NOON + DAY)
    assert tags(instance) == [(1, "first")]


async def test_a_message_held_back_at_the_move_goes_out_once_in_its_new_words(
    instance: Instance,
) -> None:
    await instance.launch({**FIRST, "steps": [HELLO, {"tag": "first"}]})
    instance.now = NIGHT
    late = an_event("browse.searched", NIGHT - MINUTE, query="nuts")
    await instance.deliver(a_change([late], identifiers=reachable()))
    await update(
        instance,
        steps=[{"message": {"template": "reorder", "channel": "sms"}}, {"tag": "second"}],
        inside="move",
    )
    await instance.fire_due(NIGHT + MINUTE)
    await instance.fire_due(NIGHT + 12 * HOUR)
    messages = [
        (item.version, item.state, item.reason, item.template)
        for item in await instance.history()
        if item.kind == "message"
    ]
    assert sorted(messages) == [
        (1, "skipped", "moved", "win-back-2"),
        (2, "decided", None, "reorder"),
    ]
    assert tags(instance) == [(2, "second")]


def editing(instance: Instance, approval: Approval) -> Editor:
    return Editor(
        instance.db, instance.options, PARTITIONS, instance.clock, instance.names, approval
    )


async def refusal(editor: Editor, word: str, actor: str) -> tuple[int, str] | None:
    try:
        await editor.move("gift", word, actor)
    except Problem as problem:
        return problem.status, problem.code
    return None


async def test_approval_can_be_required(instance: Instance) -> None:
    editor = editing(instance, "required")
    await editor.create(msgspec.convert(FIRST, CampaignSpec), "key:ann")
    assert await refusal(editor, "launch", "key:ann") == (409, "not_approved")
    assert await refusal(editor, "approve", "key:ann") is None
    assert await refusal(editor, "launch", "key:ann") is None


async def test_approval_by_somebody_else_can_be_required(instance: Instance) -> None:
    editor = editing(instance, "separate")
    await editor.create(msgspec.convert(FIRST, CampaignSpec), "key:ann")
    assert await refusal(editor, "approve", "key:ann") == (403, "own_campaign")
    assert await refusal(editor, "approve", "key:bob") is None
    assert await refusal(editor, "launch", "key:ann") is None
    changed = msgspec.convert({**FIRST, "name": "y"}, CampaignSpec)
    with pytest.raises(Problem, match="pause the campaign first"):
        await editor.update(changed, "key:bob")
    assert await refusal(editor, "pause", "key:bob") is None
    await editor.update(changed, "key:bob")
    assert await refusal(editor, "launch", "key:bob") == (409, "not_approved")
    assert await refusal(editor, "approve", "key:bob") == (403, "own_campaign")
    assert await refusal(editor, "approve", "key:ann") is None


async def test_those_inside_wait_while_a_new_version_awaits_approval(instance: Instance) -> None:
    editor = editing(instance, "required")
    await editor.create(msgspec.convert(FIRST, CampaignSpec), "key:ann")
    for word in ("approve", "launch"):
        await editor.move("gift", word, "key:ann")
    await instance.deliver(a_change([SEARCHED]))
    await editor.move("gift", "pause", "key:ann")
    await editor.update(msgspec.convert({**FIRST, "name": "y"}, CampaignSpec), "key:ann")
    await instance.fire_due(NOON + 2 * DAY)
    assert tags(instance) == []
    for word in ("approve", "launch"):
        await editor.move("gift", word, "key:ann")
    await instance.fire_due(NOON + 2 * DAY)
    assert tags(instance) == [(1, "first")]
