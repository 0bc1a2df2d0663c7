"""New segments, new rules and deleted ones reach everybody, whatever goes on meanwhile."""

import asyncio
import random

from tests.segmentation.harness import PARTITIONS, Instance
from tests.segmentation.people import DORMANT, IN_HANGZHOU, Life, move, purchase
from zhiyin.contracts.instants import DAY
from zhiyin.contracts.segments import SegmentSpec
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.log import partition_of

PEOPLE = 600


async def populate(instance: Instance) -> dict[str, Life]:
    """Every third person has not bought for a hundred days."""
    people: dict[str, Life] = {}
    messages = []
    for number in range(PEOPLE):
        event = purchase(wall_clock() - (100 if number % 3 == 0 else 10) * DAY)
        life = Life(f"p-{number:04}").then(event)
        people[life.profile_id] = life
        messages.append(life.message([event]))
    await instance.deliver(*messages)
    return people


async def test_a_new_segment_gets_all_its_members_and_says_when_it_is_live(
    instance: Instance,
) -> None:
    people = await populate(instance)
    await instance.editor.create(SegmentSpec("dormant", "D", DORMANT))
    assert await instance.status("dormant") == (0, False)
    await instance.settle()
    assert await instance.status("dormant") == (PEOPLE // 3, True)
    assert await instance.members("dormant") == set(list(people)[::3])
    assert {one.cause for one in instance.told} == {"backfill"}


async def test_a_new_version_moves_people_both_ways_and_a_deleted_segment_is_left(
    instance: Instance,
) -> None:
    people = await populate(instance)
    await instance.editor.create(SegmentSpec("odd", "O", DORMANT))
    await instance.settle()
    instance.told.clear()
    await instance.editor.update(SegmentSpec("odd", "O", {"not": DORMANT}))
    await instance.settle()
    assert await instance.members("odd") == set(people) - set(list(people)[::3])
    assert {(one.change, one.cause, one.rule_version) for one in instance.told} == {
        ("entered", "rule", 2),
        ("left", "rule", 2),
    }
    await instance.editor.delete("odd")
    await instance.settle()
    assert await instance.members("odd") == set()
    assert {one.change for one in instance.told[-10:]} == {"left"}
    await instance.editor.create(SegmentSpec("odd", "again", DORMANT))
    await instance.settle()
    assert await instance.status("odd") == (PEOPLE // 3, True)


async def test_live_events_during_a_backfill_give_exact_memberships(
    two_instances: tuple[Instance, Instance],
) -> None:
    one, two = two_instances
    people = await populate(one)
    dice = random.Random(7)
    shares = {one: (0, 1), two: (2, 3)}

    async def live(instance: Instance) -> None:
        mine = [key for key in people if partition_of(key, len(PARTITIONS)) in shares[instance]]
        for _ in range(15):
            messages = []
            for key in dice.sample(mine, 20):
                event = (
                    purchase(wall_clock() - dice.choice((0, 95)) * DAY)
                    if dice.random() < 0.5
                    else move(wall_clock(), dice.choice(("杭州", "上海")))
                )
                people[key] = people[key].then(event)
                messages.append(people[key].message([event]))
            await instance.deliver(*messages)
            await instance.fire_due(shares[instance])

    async def edit() -> None:
        await one.editor.create(SegmentSpec("dormant", "D", DORMANT))
        await two.editor.create(SegmentSpec("hangzhou", "H", IN_HANGZHOU))
        await asyncio.sleep(0.05)
        both = {"all": [{"segment": "dormant"}, {"not": {"segment": "hangzhou"}}]}
        await one.editor.create(SegmentSpec("both", "B", both))
        await two.editor.update(SegmentSpec("dormant", "D", {"not": DORMANT}))

    await asyncio.gather(live(one), live(two), edit())
    await asyncio.gather(one.settle(shares[one]), two.settle(shares[two]))
    awake = {
        key
        for key, life in people.items()
        if max(e.at for e in life.happenings if e.kind == "purchase") >= wall_clock() - 90 * DAY
    }
    here = {
        key
        for key, life in people.items()
        if (moves := [e for e in life.happenings if e.kind == "move"]) and moves[-1].city == "杭州"
    }
    expected = {"dormant": awake, "hangzhou": here, "both": awake - here}
    for segment, members in expected.items():
        assert await one.members(segment) == members
        assert await one.status(segment) == (len(members), True)
        assert await still_inside(one, segment) == members


async def still_inside(instance: Instance, segment: str) -> set[str]:
    """Who, by the log, entered once more often than they left."""
    async with instance.database.connection() as connection:
        rows = await connection.fetch(
            """
            SELECT profile_id FROM membership_log WHERE segment = $1
            GROUP BY profile_id HAVING sum(CASE WHEN entered THEN 1 ELSE -1 END) = 1
            """,
            segment,
        )
    return {row[0] for row in rows}


async def test_a_backfill_sets_off_campaigns_only_if_asked_to(instance: Instance) -> None:
    await populate(instance)
    await instance.editor.create(SegmentSpec("quiet", "Q", DORMANT))
    await instance.settle()
    assert {one.news for one in instance.told} == {False}
    instance.told.clear()
    loud = SegmentSpec("loud", "L", {"segment": "quiet"}, trigger_entries=True)
    await instance.editor.create(loud)
    await instance.settle()
    assert {(one.segment, one.cause, one.news) for one in instance.told} == {
        ("loud", "backfill", True)
    }
    instance.told.clear()
    await instance.editor.update(SegmentSpec("quiet", "Q", {"not": DORMANT}))
    await instance.settle()
    assert {(one.segment, one.news) for one in instance.told} == {("quiet", False), ("loud", False)}
