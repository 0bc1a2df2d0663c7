"""Campaigns that could be stored but would not work: each kind is refused, with its place."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pytest

from services.engagement.domain.acts import Known
from services.engagement.domain.build import build_campaign
from services.engagement.domain.faults import Faulty
from tests.engagement.harness import Instance
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.rules import Options
from zhiyin.runtime.problems import Problem

BASE: Mapping[str, Any] = {
    "key": "c",
    "name": "c",
    "trigger": {"on": "event", "type": "custom.x"},
    "steps": [{"tag": "a"}],
}
VIP, RICH = {"tag": "vip"}, {"fact": "orders.total", "op": "gte", "value": "200"}
A, B = {"tag": "a"}, {"tag": "b"}
BOUGHT = {"event": "purchase.completed"}
HELLO = {"message": {"template": "hello"}}


def spec_of(**change: Any) -> CampaignSpec:
    return msgspec.convert({**BASE, **change}, CampaignSpec)


def faults(*others: CampaignSpec, **change: Any) -> list[tuple[str, str]]:
    """(pointer, code) of everything wrong beside these campaigns."""
    known = Known(
        frozenset(),
        frozenset({"hello"}),
        {"sms": "log", "email": "log"},
        missing_segments=frozenset({"gone"}),
        missing_tags=frozenset({"lost"}),
        campaigns=others,
    )
    try:
        build_campaign(spec_of(**change), known, Options(), version=1, state="draft")
    except Faulty as error:
        return [(fault.pointer, fault.code) for fault in error.faults]
    return []


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"trigger": {"on": "segment.entered", "segment": "gone"}}, "/trigger/segment"),
        ({"trigger": {"on": "segment.left", "segment": "gone"}}, "/trigger/segment"),
        ({"trigger": {"on": "schedule", "cron": "0 9 * * *", "segment": "gone"}},
         "/trigger/segment"),
        ({"trigger": {"on": "broadcast", "segment": "gone"}}, "/trigger/segment"),
        ({"trigger": {"on": "tag.added", "tag": "lost"}}, "/trigger/tag"),
        ({"where": {"segment": "gone"}}, "/where/segment"),
        ({"where": {"all": [RICH, {"not": {"tag": "lost"}}]}}, "/where/all/1/not/tag"),
        ({"steps": [{"if": {"any": [VIP, {"segment": "gone"}]}, "then": [A]}]},
         "/steps/0/if/any/1/segment"),
        ({"steps": [{"split": [{"weight": 1}, {"weight": 1, "steps": [
            {"if": {"tag": "lost"}, "then": [A]}]}]}]},
         "/steps/0/split/1/steps/0/if/tag"),
    ],
)  # fmt: skip
def test_a_segment_or_tag_nobody_knows_is_refused(change: Mapping[str, Any], pointer: str) -> None:
    assert faults(**change) == [(pointer, "unknown_reference")]


@pytest.mark.parametrize(
    ("steps", "pointer"),
    [
        ([{"if": VIP, "then": [{"if": VIP, "else": [A]}]}], "/steps/0/then/0/else"),
        ([{"if": VIP, "else": [{"if": VIP, "then": [A]}]}], "/steps/0/else/0/then"),
        ([{"if": RICH, "then": [A], "else": [B]}], "/steps/0/else"),
        ([{"split": [{"weight": 1, "steps": [{"if": RICH, "else": [A]}]}, {"weight": 1}]}],
         "/steps/0/split/0/steps/0/else"),
    ],
)  # fmt: skip
def test_a_branch_whose_condition_is_settled_is_unreachable(
    steps: Sequence[Any], pointer: str
) -> None:
    assert faults(steps=steps, where=RICH) == [(pointer, "unreachable")]


@pytest.mark.parametrize(
    "steps",
    [
        [{"wait": "1d"}, {"if": RICH, "then": [A], "else": [B]}],
        [HELLO, {"if": RICH, "then": [A], "else": [B]}],
        [{"if": VIP, "then": [{"wait": "1d"}, {"if": VIP, "else": [A]}]}],
        [{"wait_for": BOUGHT, "timeout": "1d", "then": [{"if": RICH, "else": [A]}]}],
        [{"if": VIP, "then": [A]}, {"if": VIP, "else": [B]}],
    ],
)
def test_a_condition_may_turn_out_otherwise_later(steps: Sequence[Any]) -> None:
    assert faults(steps=steps, where=RICH) == []


@pytest.mark.parametrize(
    "steps",
    [
        [{"wait": "3000d"}, {"wait": "700d"}],
        [{"wait_for": BOUGHT, "timeout": "3000d", "then": [{"wait": "700d"}]}],
        [{"wait": {"until": "09:00", "after": "3650d"}}],
    ],
)
def test_a_journey_may_not_take_longer_than_ten_years(steps: Sequence[Any]) -> None:
    assert faults(steps=steps) == [("/steps", "too_long")]


def test_a_journey_may_not_have_too_many_steps_or_levels() -> None:
    many = [{"split": [{"weight": 1, "steps": [A] * 70}, {"weight": 1, "steps": [A] * 70}]}] * 2
    assert ("/steps", "too_many_steps") in faults(steps=many)
    deep: dict[str, Any] = A
    for _ in range(10):
        deep = {"split": [{"weight": 1, "steps": [deep]}, {"weight": 1}]}
    assert "too_deep" in [code for _, code in faults(steps=[deep])]


def on_tag(key: str, tag: str, *steps: Any) -> CampaignSpec:
    return spec_of(key=key, trigger={"on": "tag.added", "tag": tag}, steps=list(steps))


@pytest.mark.parametrize(
    ("trigger", "step", "pointer"),
    [
        ({"on": "tag.added", "tag": "a"}, A, "/steps/0/tag"),
        ({"on": "tag.added", "tag": "a"}, {"tag": {"add": "a"}}, "/steps/0/tag"),
        ({"on": "event", "type": "customer.tagged"}, A, "/steps/0/tag"),
        ({"on": "event", "type": "customer.tagged", "where": {"tag": ["a", "b"]}}, A,
         "/steps/0/tag"),
        ({"on": "event", "type": "customer.untagged"}, {"tag": {"remove": "a"}}, "/steps/0/tag"),
        ({"on": "event", "type": "engagement.delivered"}, HELLO, "/steps/0/message"),
    ],
)  # fmt: skip
def test_a_campaign_that_sets_itself_off_is_refused(
    trigger: Mapping[str, Any], step: Mapping[str, Any], pointer: str
) -> None:
    assert faults(trigger=trigger, steps=[step]) == [(pointer, "cycle")]
    waits = {"wait_for": BOUGHT, "timeout": "1d", "else": [step]}
    inside = pointer.replace("/steps/0", "/steps/0/else/0")
    assert faults(trigger=trigger, steps=[waits]) == [(inside, "cycle")]


@pytest.mark.parametrize(
    ("trigger", "step"),
    [
        ({"on": "tag.added", "tag": "b"}, A),
        ({"on": "tag.added", "tag": "a"}, {"tag": {"remove": "a"}}),
        ({"on": "event", "type": "customer.tagged", "where": {"tag": "b"}}, A),
        ({"on": "event", "type": "customer.tagged", "first": True}, A),
        ({"on": "event", "type": "engagement.opened"}, HELLO),
        ({"on": "event", "type": "engagement.delivered", "where": {"channel": "email"}},
         {"message": {"template": "hello", "channel": "sms"}}),
    ],
)  # fmt: skip
def test_a_campaign_that_leads_elsewhere_is_taken(
    trigger: Mapping[str, Any], step: Mapping[str, Any]
) -> None:
    assert faults(trigger=trigger, steps=[step]) == []


def test_campaigns_that_set_each_other_off_are_refused_with_the_way_round() -> None:
    first = on_tag("first", "b", {"tag": "c"})
    second = on_tag("second", "c", {"wait": "1d"}, {"tag": "a"})
    trigger = {"on": "tag.added", "tag": "a"}
    assert faults(first, trigger=trigger, steps=[B]) == []
    assert faults(first, second, trigger=trigger, steps=[A := {"tag": "x"}, B]) == [
        ("/steps/1/tag", "cycle")
    ]
    assert A == {"tag": "x"}


async def test_names_nobody_knows_are_asked_for_when_a_campaign_is_made_and_launched(
    instance: Instance,
) -> None:
    spec = spec_of(trigger={"on": "segment.entered", "segment": "vip"}, where={"tag": "soon"})
    instance.names.segments = frozenset({"vip"})
    with pytest.raises(Problem) as refused:
        await instance.editor.create(spec, "test")
    assert [each.pointer for each in refused.value.errors] == ["/trigger/segment"]
    instance.names.segments = frozenset()
    await instance.editor.create(spec, "test")
    instance.names.segments = frozenset({"vip"})
    with pytest.raises(Problem, match="vip"):
        await instance.editor.move("c", "launch", "test")


async def test_a_tag_another_campaign_sets_is_known(instance: Instance) -> None:
    instance.names.tags = frozenset({"b"})
    waits = on_tag("waits", "b", {"tag": "c"})
    with pytest.raises(Problem, match="'b'"):
        await instance.editor.create(waits, "test")
    await instance.editor.create(spec_of(steps=[B]), "test")
    await instance.editor.create(waits, "test")
