"""Ready campaigns: whole, in both languages, installed one by one; and word of what runs low."""

import msgspec
import pytest

from services.engagement.domain.builtin import CAMPAIGNS
from services.engagement.domain.playbooks.shelf import LIBRARY
from services.engagement.playbooks import Playbooks
from services.engagement.stock import StockAlerts
from tests.builders import a_purchase, an_event, an_item
from tests.engagement.harness import NOON, PARTITIONS, Instance, a_change, reachable
from zhiyin.contracts.events import Event, decode_event
from zhiyin.contracts.instants import HOUR
from zhiyin.contracts.playbooks import StockAlertSpec
from zhiyin.runtime.problems import Problem


def shelf(instance: Instance) -> Playbooks:
    return Playbooks(instance.db, instance.editor, instance.clock)


def test_there_are_more_than_twenty_each_with_chinese_and_english() -> None:
    keys = [each.key for each in LIBRARY]
    assert len(keys) == len(set(keys)) > 20
    assert not set(keys) & {each.key for each in CAMPAIGNS}
    for each in LIBRARY:
        assert all((*each.name, *each.about)), each.key
        for zh, en in each.texts.values():
            assert any("一" <= letter <= "鿿" for letter in zh.subject + zh.body), each.key
            assert not any("一" <= letter <= "鿿" for letter in en.subject + en.body), each.key


async def test_each_can_be_installed_and_is_live_when_asked(instance: Instance) -> None:
    playbooks = shelf(instance)
    for each in LIBRARY:
        installed = await playbooks.install(each.key, "test", launch=True)
        assert installed["installed"] == "live"
        assert f"campaign {each.key}" in installed["created"]
        again = await playbooks.install(each.key, "test", launch=False)
        assert (again["installed"], again["created"]) == ("live", [])
    assert {each["installed"] for each in await playbooks.shown()} == {"live"}


async def test_one_is_a_draft_first_and_what_is_there_stays(instance: Instance) -> None:
    playbooks = shelf(instance)
    await playbooks.install("birthday", "test", launch=False)
    [birthday] = await playbooks.shown("birthday")
    assert birthday["installed"] == "draft"
    assert {each["installed"] for each in await playbooks.shown()} == {"draft", None}
    with pytest.raises(Problem) as caught:
        await playbooks.install("none", "test", launch=False)
    assert caught.value.status == 404


async def test_a_brand_installs_its_own_and_does_not_launch_anothers(instance: Instance) -> None:
    playbooks = shelf(instance)
    await playbooks.install("birthday", "test", launch=False, brand="gold")
    [birthday] = await playbooks.shown("birthday")
    assert birthday["installed"] == "draft"
    with pytest.raises(Problem) as caught:
        await playbooks.install("birthday", "test", launch=True, brand="silver")
    assert (caught.value.status, caught.value.code) == (409, "campaign_exists")


def saved(number: int, *more: Event) -> list[Event]:
    who = {"customer": f"M{number}"}
    return [an_event("browse.favorited", NOON - HOUR, sku="EJ", category="x", **who), *more]


async def test_whoever_saved_it_and_did_not_buy_it_hears_that_it_runs_low(
    instance: Instance,
) -> None:
    bought = a_purchase(NOON, items=[an_item("EJ")], customer="M2")
    other = an_event("browse.favorited", NOON, sku="OTHER", customer="M3")
    lives = [saved(1), saved(2, bought), [other], []]
    await instance.deliver(
        *(
            a_change(life, profile_id=f"p-{n}", causes=[], identifiers=reachable())
            for n, life in enumerate(lives, 1)
        )
    )
    alerts = StockAlerts(instance.db, PARTITIONS, instance.clock)
    for _ in range(2):
        await alerts.raise_(StockAlertSpec("EJ", 3))
        await instance.fire_due(NOON)
    topics = [each.message for each in instance.outgoing]
    told = [decode_event(each.value) for each in topics if each.topic == "events.custom"]
    assert {each.event_id for each in told} == {told[0].event_id}
    assert told[0].customer == {"profile_id": "p-1"}
    assert msgspec.json.decode(told[0].properties)["left"] == 3
