"""People are folded anew from the event log, and every difference found is told."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from services.profile.rebuilding import DIFFERENT, Asked, asked_in, rebuild_people
from tests.builders import START, a_browse, a_purchase, an_event
from tests.profile.harness import Service
from tests.profile.test_unmerge import FAN, a_merge, an_unmerge
from zhiyin.contracts.buying import OrderTotals
from zhiyin.contracts.instants import SECOND
from zhiyin.contracts.profiles import Snapshot, Tag, encode
from zhiyin.contracts.tag_rules import TagRuleSpec
from zhiyin.runtime.problems import Problem


async def rebuild(
    service: Service, capsys: pytest.CaptureFixture[str], *words: str
) -> tuple[int, list[dict[str, Any]]]:
    """(exit code, lines)"""
    code = await rebuild_people(service.rebuild, service.database, asked_in(words))
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def found(lines: list[dict[str, Any]]) -> dict[str, tuple[Any, Any]]:
    """path → (stored, rebuilt)"""
    each = [line["difference"] for line in lines if "difference" in line]
    return {one["path"]: (one["stored"], one["rebuilt"]) for one in each}


def plain(tag: Tag) -> dict[str, Any]:
    return {name: getattr(tag, name) for name in tag.__struct_fields__} | {"evidence": []}


async def store(service: Service, snapshot: Snapshot) -> None:
    await service.database.pool.execute(
        "UPDATE profile SET snapshot = $2 WHERE profile_id = $1",
        snapshot.profile_id,
        encode(snapshot),
    )


async def test_a_rebuild_names_every_difference_and_puts_it_right(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    await service.apply(
        *[a_purchase(START, customer=f"M{n}", total="5") for n in range(60)],
        a_browse(START, customer="M7"),
    )
    assert (await rebuild(service, capsys))[0] == 0, "nothing is wrong yet"
    right = {one.profile_id: one for one in await service.people()}
    victim = right[str(await service.owner("member_id", "M33"))]
    orders = OrderTotals(9, 9, 0, START, START)
    ghost = {"ghost": Tag(START, None, "rule:ghost", 1)}
    await store(service, replace(victim, facts=replace(victim.facts, orders=orders), tags=ghost))
    await service.database.pool.execute(
        "UPDATE profile SET members = '{M99}' WHERE profile_id = $1", victim.profile_id
    )
    looked = await rebuild(service, capsys, "--check")
    code, lines = await rebuild(service, capsys)
    assert looked == (code, lines), "--check found the same and put nothing right"
    assert code == DIFFERENT
    assert found(lines) == {
        "facts.orders.count": (9, 1),
        "facts.orders.total": (9, 500),
        "members.0": ("M99", "M33"),
        "tags.ghost": (plain(ghost["ghost"]), None),
    }
    assert lines[-1] == {"done": {"people": 60, "different": 1, "differences": 4}}
    assert [line["progress"]["done"] for line in lines if "progress" in line] == [40, 60]
    assert (await rebuild(service, capsys))[0] == 0, "it is right again"
    [again] = [one for one in await service.people() if one.profile_id == victim.profile_id]
    assert (again.facts, again.tags, again.version) == (victim.facts, {}, victim.version + 1)
    await service.check_plain_fold()
    told = await service.database.pool.fetchval("SELECT sum(count) FROM outbox")
    assert told == 1, "the others hear of it once"


async def test_a_row_nobody_can_read_comes_back_from_the_events(
    service: Service, capsys: pytest.CaptureFixture[str]
) -> None:
    await service.editor.put("fan", TagRuleSpec(FAN))
    for number in range(3):
        await service.apply(a_purchase(START, total="1", customer=f"M{number}"))
        service.now += SECOND
    await service.apply(
        *[a_browse(START + n, customer="M0", category="健身", event_id=f"v{n}") for n in range(2)]
    )
    ids = [str(await service.owner("member_id", f"M{number}")) for number in range(3)]
    await service.apply(a_merge(ids[0], ids[1]), a_merge(ids[0], ids[2], START + 1))
    await service.apply(an_unmerge(ids[0], "member_id:M2"))
    await service.apply(
        an_event("customer.tagged", START, customer={"profile_id": ids[0]}, tag="vip")
    )
    right = {one.profile_id: one for one in await service.people()}
    await service.database.pool.execute(
        "UPDATE profile SET snapshot = '\\xdeadbeef', tagging = '' WHERE profile_id = $1", ids[0]
    )
    code, lines = await rebuild(service, capsys, "--profile", ids[1])
    assert code == DIFFERENT
    assert found(lines) == {"": ("unreadable", "from the events")}
    again = next(one for one in await service.people() if one.profile_id == ids[0])
    assert again.facts == right[ids[0]].facts
    assert again.merged_from == (ids[1],)
    assert set(again.tags) == {"fan", "vip"}
    assert await rebuild(service, capsys, "--profile", ids[0]) == (
        0,
        [
            {"progress": {"done": 1, "of": 1, "different": 0}},
            {"done": {"people": 1, "different": 0, "differences": 0}},
        ],
    )


async def test_only_who_is_there_can_be_rebuilt(service: Service) -> None:
    with pytest.raises(Problem, match="there is no profile nobody"):
        await rebuild_people(service.rebuild, service.database, Asked("nobody"))
    with pytest.raises(SystemExit):
        asked_in(["--profil", "x"])
