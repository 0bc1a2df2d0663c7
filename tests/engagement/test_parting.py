"""Somebody merged away is parted again: what was theirs goes back, in any order it is heard."""

import itertools

import msgspec
import pytest

from tests.builders import an_event
from tests.engagement.harness import NOON, Instance, a_change, a_crossing
from tests.engagement.merges import People
from tests.engagement.test_merging import THANKS, WAITING, left_behind
from zhiyin.contracts.campaigns import CouponTemplateSpec
from zhiyin.contracts.instants import MINUTE
from zhiyin.contracts.profiles import ProfileChanged

COUPON = {"key": "five", "kind": "amount", "value": "5", "valid": "30d"}
GIFT = {**THANKS, "steps": [{"coupon": "five"}, {"tag": "thanked"}]}


@pytest.fixture
async def shop(instance: Instance) -> Instance:
    await instance.end_built_in()
    return instance


async def with_gifts(shop: Instance) -> None:
    await shop.settings.add_coupon_template(msgspec.convert(COUPON, CouponTemplateSpec))
    await shop.launch(GIFT)


async def owners(shop: Instance, table: str, prefix: str = "") -> list[str]:
    rows = await shop.fetch(
        f"SELECT profile_id FROM {table} WHERE starts_with(profile_id, $1) ORDER BY 1",
        prefix,
    )
    return [row[0] for row in rows]


def in_the_logs_order(told: list[ProfileChanged]) -> bool:
    """The log keeps the order of each person's news, not that between people."""
    versions: dict[str, int] = {}
    for one in told:
        if versions.get(one.snapshot.profile_id, 0) > one.snapshot.version:
            return False
        versions[one.snapshot.profile_id] = one.snapshot.version
    return True


async def test_what_was_somebodys_goes_back_to_them_in_any_order(shop: Instance) -> None:
    await with_gifts(shop)
    tried = 0
    for number, order in enumerate(itertools.permutations(range(5))):
        people = People(prefix=f"{number}-")
        gone, kept = f"{number}-gone", f"{number}-kept"
        first, *rest = (
            people.buys(gone), people.buys(kept),
            *people.merge(gone, kept), *people.part(gone, kept),
        )  # fmt: skip
        told = [first, *(rest[index] for index in order)]
        if not in_the_logs_order(told):
            continue
        tried += 1
        for one in told:
            await shop.deliver(one)
        for table in ("coupon", "decision", "run"):
            assert await owners(shop, table, f"{number}-") == [gone, kept], (table, order)
    assert tried == 10
    assert await left_behind(shop) == []


async def test_what_came_about_while_they_were_one_stays_with_whom_it_was_done_to(
    shop: Instance,
) -> None:
    await with_gifts(shop)
    people = People()
    await shop.deliver(people.buys("gone"))
    await shop.deliver(people.buys("kept"))
    await shop.deliver(*people.merge("gone", "kept"))
    await shop.deliver(people.buys("kept"))
    assert await owners(shop, "coupon") == ["kept"] * 3
    await shop.deliver(*people.part("gone", "kept"))
    assert await owners(shop, "coupon") == ["gone", "kept", "kept"]
    assert await owners(shop, "action") == ["gone"] * 2 + ["kept"] * 4
    await shop.deliver(people.buys("gone"))
    assert await owners(shop, "coupon") == ["gone", "gone", "kept", "kept"]


async def test_a_journey_that_a_merge_ended_goes_on_after_it_is_undone(shop: Instance) -> None:
    await shop.launch(WAITING)
    people = People()
    await shop.deliver(people.buys("gone"))
    await shop.deliver(people.buys("kept"))
    await shop.deliver(*people.merge("gone", "kept"))
    rows = await shop.fetch("SELECT state, reason FROM run ORDER BY 1")
    assert [tuple(row) for row in rows] == [("active", None), ("exited", "merged")]
    back, left = people.part("gone", "kept")
    await shop.deliver(back, left)
    rows = await shop.fetch("SELECT profile_id, state, reason, occurrence FROM run ORDER BY 1")
    assert [tuple(row[:3]) for row in rows] == [("gone", "active", None), ("kept", "active", None)]
    searched = an_event("browse.searched", NOON + MINUTE, query="nuts")
    version = back.snapshot.version + 1
    await shop.deliver(a_change([searched], profile_id="gone", version=version))
    assert [(action.profile_id, action.step) for action in shop.decided] == [("gone", "0.then.0")]


async def test_who_is_part_of_somebody_returning_returns_with_them(shop: Instance) -> None:
    await with_gifts(shop)
    people = People()
    for name in ("inner", "middle", "outer"):
        await shop.deliver(people.buys(name))
    await shop.deliver(*people.merge("inner", "middle"))
    await shop.deliver(*people.merge("middle", "outer"))
    await shop.deliver(*people.part("middle", "outer"))
    assert await owners(shop, "coupon") == ["middle", "middle", "outer"]
    await shop.deliver(*people.part("inner", "middle"))
    assert await owners(shop, "coupon") == ["inner", "middle", "outer"]
    assert await left_behind(shop) == []


async def test_a_membership_told_before_the_person_is_back_is_kept(shop: Instance) -> None:
    people = People()
    await shop.deliver(people.buys("gone"), people.buys("kept"))
    await shop.deliver(*people.merge("gone", "kept"))
    back, left = people.part("gone", "kept")
    version = back.snapshot.version
    await shop.deliver(a_crossing("vip", profile_id="gone", version=version, cause="merge"))
    await shop.deliver(back, left)
    rows = await shop.fetch("SELECT profile_id, segment FROM member WHERE inside")
    assert [tuple(row) for row in rows] == [("gone", "vip")]
