"""RFM over the population: cut points, versions, segments by quintile, grid and labels."""

import httpx

from services.segmentation.quintiles import LEAST_BUYERS, Quintiles
from tests.segmentation.harness import Instance
from tests.segmentation.people import IN_HANGZHOU, Life, move, purchase
from tests.segmentation.test_api import api, problem
from zhiyin.contracts.instants import DAY
from zhiyin.contracts.segments import SegmentSpec
from zhiyin.runtime.clock import wall_clock

__all__ = ["api"]
BEST = {"fact": "quintiles.m", "op": "eq", "value": 5}


async def buyers(instance: Instance, count: int, start: int = 0) -> None:
    """Each spends one yuan more than the one before."""
    messages = []
    for number in range(start, start + count):
        bought = purchase(wall_clock() - (number + 1) * DAY // 2, 100 * (number + 1))
        here = move(wall_clock(), "杭州")
        messages.append(Life(f"p-{number:04}").then(bought, here).message([bought, here]))
    await instance.deliver(*messages)


async def test_cut_points_are_taken_from_the_population_and_segments_follow_them(
    instance: Instance,
) -> None:
    quintiles = Quintiles(instance.database, instance.editor, "CNY")
    await instance.editor.create(SegmentSpec("best", "B", BEST))
    await instance.settle()
    await buyers(instance, 100)
    assert await instance.members("best") == set()
    assert await quintiles.refresh(now_due=False)
    await instance.settle()
    best = await instance.members("best")
    assert best == {f"p-{number:04}" for number in range(80, 100)}
    assert not await quintiles.refresh(now_due=False), "it is not due before tomorrow"
    await buyers(instance, 100, 100)
    assert best < await instance.members("best"), "newcomers are judged by the cut points there are"
    assert await quintiles.refresh(now_due=True)
    await instance.settle()
    assert await instance.members("best") == {f"p-{number:04}" for number in range(160, 200)}
    assert await instance.status("best") == (40, True)
    assert not [one for one in instance.told if one.news and one.cause != "event"]


async def test_cut_points_are_shown_with_their_versions(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    before = (await api.get("/v1/rfm")).json()
    assert (before["quintiles"], before["every"]) == (None, "1d")
    assert before["fixed"]["recency_days"][0] == [30.0, 5]
    await buyers(instance, LEAST_BUYERS - 1)
    few = (await api.post("/v1/rfm/refresh")).json()
    assert few["quintiles"] is None
    assert few["refreshed"] is not None
    await buyers(instance, 100, 100)
    taken = (await api.post("/v1/rfm/refresh")).json()["quintiles"]
    assert (taken["version"], taken["buyers"]) == (1, LEAST_BUYERS + 99)
    again = (await api.post("/v1/rfm/refresh")).json()["quintiles"]
    assert again["version"] == 1, "nothing moved"
    listed = (await api.get("/v1/rfm/versions", params={"limit": 1})).json()
    assert listed == {"items": [taken], "next_cursor": None}
    assert (await api.put("/v1/rfm", json={"every": "6h"})).json()["every"] == "6h"
    for wrong in ("x", "1s", "91d"):
        problem(await api.put("/v1/rfm", json={"every": wrong}), 422)


async def test_the_grid_counts_everybody_in_every_cell(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await buyers(instance, 60)
    await instance.deliver(Life("nobody").then(here := move(1, "杭州")).message([here]))
    await api.post("/v1/rfm/refresh")
    for by in ("fixed", "quintiles"):
        grid = (await api.get("/v1/rfm/grid", params={"by": by})).json()
        assert len(grid["cells"]) == 125
        assert sum(cell["count"] for cell in grid["cells"]) == 60
        assert sum(grid["classes"].values()) == sum(grid["tiers"].values()) == 60
        assert (grid["without_orders"], grid["population"]) == (1, 61)
        assert {cell["class"] for cell in grid["cells"]} <= set(grid["classes"])
    problem(await api.get("/v1/rfm/grid", params={"by": "x"}), 422)


async def test_scenarios_are_labelled_over_rfm_classes(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await instance.editor.install_built_in()
    await instance.editor.create(SegmentSpec("here", "杭州人", IN_HANGZHOU))
    await instance.settle()
    await buyers(instance, 20)
    found = (await api.post("/v1/rfm/scenarios", json={"segments": ["here"]})).json()["items"]
    assert sum(one["count"] for one in found) == 20
    assert {one["label"] for one in found} >= {"新客或小额 · 杭州人"}
    problem(await api.post("/v1/rfm/scenarios", json={"segments": ["nope"]}), 404)
