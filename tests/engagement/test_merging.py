"""Two people become one while their messages are on partitions of their own: in whatever order
those are read, what happened to either is decided once, about the person they have become."""

import asyncio
import itertools

import asyncpg
import pytest

from tests.builders import an_event
from tests.engagement.harness import NOON, Instance, a_change, a_crossing
from tests.engagement.merges import People, a_history, in_any_order
from zhiyin.contracts.instants import DAY, HOUR, MINUTE, SECOND
from zhiyin.contracts.profiles import ProfileChanged

# The condition holds only for somebody whose snapshot has the order in it.
THANKS = {
    "key": "thanks",
    "name": "x",
    "trigger": {"on": "event", "type": "purchase.completed"},
    "where": {"fact": "orders.count", "op": "gte", "value": 1},
    "steps": [{"tag": "thanked"}],
}
WAITING = {
    **THANKS,
    "steps": [
        {
            "wait_for": {"event": "browse.searched"},
            "timeout": "1d",
            "then": [{"tag": "searched"}],
            "else": [{"tag": "silent"}],
        }
    ],
}


@pytest.fixture
async def shop(instance: Instance) -> Instance:
    """With one campaign, `thanks`, alone."""
    await instance.end_built_in()
    await instance.launch(THANKS)
    return instance


async def decisions(instance: Instance, prefix: str = "") -> list[tuple[str, bool, str | None]]:
    """(person, entered, reason) of campaign `thanks`."""
    rows = await instance.fetch(
        """SELECT profile_id, entered, reason FROM decision
           WHERE campaign = 'thanks' AND starts_with(profile_id, $1) ORDER BY 1, 2""",
        prefix,
    )
    return [tuple(row) for row in rows]


async def left_behind(instance: Instance) -> list[str]:
    rows = await instance.fetch(
        """SELECT key FROM parked UNION ALL SELECT key FROM timer WHERE kind = 'parked'
           UNION ALL SELECT profile_id FROM decision JOIN person USING (profile_id)
             WHERE merged_into IS NOT NULL
           UNION ALL SELECT profile_id FROM person WHERE lacking <> '\\x90'"""
    )
    return [row[0] for row in rows]


def merged() -> tuple[ProfileChanged, ProfileChanged, ProfileChanged, ProfileChanged]:
    """`p-1` buys, `p-2` buys, they are one: (both orders, the last of p-1, the new p-2)."""
    people = People()
    one, two = people.buys("p-1"), people.buys("p-2")
    return one, two, *people.merge("p-1", "p-2")


async def test_the_orders_of_two_who_become_one_are_decided_once_each(shop: Instance) -> None:
    for number, order in enumerate(itertools.permutations(range(4))):
        people = People(prefix=f"{number}-")
        gone, kept = f"{number}-gone", f"{number}-kept"
        messages = (people.buys(gone), people.buys(kept), *people.merge(gone, kept))
        for index in order:
            await shop.deliver(messages[index])
        assert await decisions(shop, kept) == [(kept, True, None)] * 2, order
    assert await left_behind(shop) == []


async def test_what_is_heard_of_somebody_merged_away_waits_for_whom_they_became(
    shop: Instance,
) -> None:
    one, _, gone, both = merged()
    await shop.deliver(gone)
    await shop.deliver(one)
    await shop.deliver(one)
    assert await decisions(shop) == []
    assert len(await shop.fetch("SELECT 1 FROM parked")) == 1
    await shop.deliver(both)
    assert await decisions(shop) == [("p-2", True, None)]
    assert await left_behind(shop) == []


async def test_it_waits_for_a_snapshot_that_knows_of_the_merge(shop: Instance) -> None:
    people = People()
    one = people.buys("p-1")
    empty = people.appears("p-2")
    gone, both = people.merge("p-1", "p-2")
    await shop.deliver(empty)
    await shop.deliver(gone)
    await shop.deliver(one)
    assert await decisions(shop) == []
    await shop.deliver(both)
    assert await decisions(shop) == [("p-2", True, None)]


async def test_who_never_comes_is_refused_after_an_hour_and_that_is_said(shop: Instance) -> None:
    one, _, gone, _ = merged()
    await shop.deliver(gone, one)
    await shop.fire_due(NOON + HOUR - 1)
    assert await decisions(shop) == []
    await shop.fire_due(NOON + HOUR)
    assert await decisions(shop) == [("p-2", False, "unknown_person")]
    [item] = await shop.history("p-2")
    assert item.why["person"] == "outdated"
    assert await shop.fetch("SELECT 1 FROM parked") == []


async def test_somebody_half_known_is_decided_on_as_known_after_a_minute(shop: Instance) -> None:
    one, two, gone, both = merged()
    await shop.deliver(two, gone, one)
    await shop.fire_due(NOON + 60 * SECOND)
    assert await decisions(shop) == [("p-2", True, None)] * 2
    await shop.deliver(both)
    assert len(await decisions(shop)) == 2
    assert await left_behind(shop) == []


async def test_a_chain_of_merges_is_followed_from_whichever_end_it_is_seen(
    shop: Instance,
) -> None:
    for number, order in enumerate(list(itertools.permutations(range(5)))[::3]):
        people = People(prefix=f"{number}-")
        names = [f"{number}-{letter}" for letter in "abc"]
        heard, *_ = [people.buys(name) for name in names]
        messages = (heard, *people.merge(*names[:2]), *people.merge(*names[1:]))
        for index in order:
            await shop.deliver(messages[index])
        assert await decisions(shop, f"{number}-") == [(names[2], True, None)], order
    assert await left_behind(shop) == []


async def test_a_crossing_and_a_tag_of_somebody_merged_away_wait_as_well(
    shop: Instance,
) -> None:
    entered = {"on": "segment.entered", "segment": "vip"}
    await shop.launch({**THANKS, "key": "vip", "trigger": entered})
    tagged = {"on": "tag.added", "tag": "gold"}
    await shop.launch({**THANKS, "key": "gold", "trigger": tagged})
    _, _, gone, both = merged()
    await shop.deliver(gone)
    await shop.deliver(a_crossing("vip", version=1))
    await shop.deliver(a_change([], causes=[], version=1, tags_added=["gold"]))
    assert await shop.fetch("SELECT 1 FROM decision") == []
    await shop.deliver(both)
    rows = await shop.fetch("SELECT campaign, profile_id, entered FROM decision ORDER BY 1")
    assert [tuple(row) for row in rows] == [("gold", "p-2", True), ("vip", "p-2", True)]
    assert await left_behind(shop) == []


async def test_a_crossing_that_waits_for_somebody_waits_for_whom_they_become(
    shop: Instance,
) -> None:
    await shop.launch(
        {**THANKS, "key": "vip", "trigger": {"on": "segment.entered", "segment": "vip"}}
    )
    _, _, gone, both = merged()
    await shop.deliver(a_crossing("vip", version=1))
    await shop.deliver(gone)
    assert await shop.fetch("SELECT 1 FROM decision") == []
    await shop.deliver(both)
    rows = await shop.fetch("SELECT profile_id, entered FROM decision")
    assert [tuple(row) for row in rows] == [("p-2", True)]
    assert await left_behind(shop) == []


async def test_a_crossing_of_somebody_only_merged_into_waits_for_them(shop: Instance) -> None:
    await shop.launch(
        {**THANKS, "key": "vip", "trigger": {"on": "segment.entered", "segment": "vip"}}
    )
    _, _, gone, both = merged()
    await shop.deliver(gone)
    await shop.deliver(a_crossing("vip", profile_id="p-2", version=2))
    await shop.deliver(both)
    rows = await shop.fetch("SELECT profile_id, entered FROM decision")
    assert [tuple(row) for row in rows] == [("p-2", True)]
    assert await left_behind(shop) == []


async def waiting(shop: Instance) -> tuple[ProfileChanged, ProfileChanged, ProfileChanged]:
    """`p-1` waits for a search; (their merge into p-2, the new p-2, who then searches)."""
    await shop.editor.move("thanks", "end", "test")
    await shop.launch({**WAITING, "key": "waiting"})
    one, _, gone, both = merged()
    await shop.deliver(one)
    searched = an_event("browse.searched", NOON + MINUTE, query="nuts")
    version = both.snapshot.version + 1
    later = a_change([searched], profile_id="p-2", version=version, merged_from=["p-1"])
    return gone, both, later


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_wait_of_somebody_merged_away_hears_the_kept_person_in_any_order(
    shop: Instance, order: tuple[int, ...]
) -> None:
    messages = await waiting(shop)
    for index in order:
        await shop.deliver(messages[index])
    await shop.fire_due(NOON + 2 * DAY)
    assert [action.step for action in shop.decided] == ["0.then.0"]
    assert await left_behind(shop) == []


async def test_a_wait_that_ends_before_the_kept_person_is_known_waits_on(shop: Instance) -> None:
    gone, both, _ = await waiting(shop)
    await shop.deliver(gone)
    await shop.fire_due(NOON + DAY)
    assert await shop.fetch("SELECT state FROM run WHERE state <> 'active'") == []
    await shop.deliver(both)
    assert [action.step for action in shop.decided] == ["0.else.0"]


async def test_erasing_somebody_erases_what_waits_for_them(shop: Instance) -> None:
    one, _, gone, both = merged()
    await shop.deliver(gone, one)
    version = both.snapshot.version
    await shop.deliver(a_change([], profile_id="p-2", causes=[], version=version, erased=True))
    assert await shop.fetch("SELECT 1 FROM parked") == []
    assert await shop.fetch("SELECT 1 FROM timer WHERE kind = 'parked'") == []


async def test_every_order_is_decided_once_whatever_the_order_of_the_messages(
    shop: Instance,
) -> None:
    for seed in range(30):
        people = a_history(seed)
        shop.outgoing.clear()
        for number, batch in enumerate(in_any_order(people, seed)):
            if number % 3 == seed % 3:
                await shop.die_delivering(*batch)
            await shop.deliver(*batch)
        found = await decisions(shop, people.prefix)
        assert [outcome[1:] for outcome in found] == [(True, None)] * len(people.bought), seed
        assert {outcome[0] for outcome in found} <= set(people.standing), seed
        assert len(shop.decided) == len(people.bought), seed
        assert await left_behind(shop) == [], seed


async def test_two_instances_at_once_decide_every_order_once(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    await one.end_built_in()
    await one.launch(THANKS)
    histories = [a_history(seed) for seed in range(30, 40)]
    queue = [batch for people in histories for batch in in_any_order(people, 1)]

    async def work(instance: Instance) -> None:
        while queue:
            batch = queue.pop()
            try:
                await instance.deliver(*batch)
            except asyncpg.TransactionRollbackError:
                queue.append(batch)  # as a worker would

    await asyncio.gather(work(one), work(one), work(two), work(two))
    bought = sum(len(people.bought) for people in histories)
    assert [entered for _, entered, _ in await decisions(one)] == [True] * bought
    assert await left_behind(one) == []
