"""The library over HTTP: shown, installed from, and what is installed is the operator's own."""

from typing import Any

import httpx
import pytest

from services.segmentation.domain.ready_segments.shelf import LIBRARY, STANDARD, with_what_they_read
from tests.segmentation.harness import Instance
from tests.segmentation.people import IN_HANGZHOU, Life, purchase
from tests.segmentation.test_api import api
from zhiyin.contracts.instants import DAY
from zhiyin.runtime.clock import wall_clock

__all__ = ["api"]

INSTALL = "/v1/segment-library/install"
RISK = [one.key for one in LIBRARY if one.group == "risk"]


async def shelf(api: httpx.AsyncClient) -> dict[str, dict[str, Any]]:
    answer = await api.get("/v1/segment-library")
    assert answer.status_code == 200, answer.text
    return {one["key"]: one for one in answer.json()["items"]}


async def live(api: httpx.AsyncClient) -> set[str]:
    return {one["key"] for one in (await api.get("/v1/segments")).json()["items"]}


async def install(api: httpx.AsyncClient, **spec: Any) -> dict[str, list[str]]:
    answer = await api.post(INSTALL, json=spec)
    assert answer.status_code == 200, answer.text
    found: dict[str, list[str]] = answer.json()
    return found


async def test_the_shelf_shows_all_and_only_the_standard_ones_installed(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await instance.editor.install_built_in()
    shown = await shelf(api)
    assert list(shown) == [one.key for one in LIBRARY]
    for key, one in shown.items():
        assert all((one["group"], one["rule"], one["text"]))
        assert one["names"].keys() == one["descriptions"].keys() == {"zh", "en"}
        assert (one["standard"], one["installed"]) == (
            (True, 1) if key in STANDARD else (False, None)
        )


async def test_one_is_installed_holds_people_and_can_be_deleted_and_installed_again(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    bought = purchase(wall_clock() - 40 * DAY)
    await instance.deliver(Life("p-1").then(bought).message([bought]))
    one = ["one-time-buyers"]
    assert await install(api, keys=one) == {"installed": one, "unchanged": [], "kept": []}
    await instance.settle()
    assert await instance.members("one-time-buyers") == {"p-1"}
    segment = (await api.get("/v1/segments/one-time-buyers")).json()
    assert (segment["builtin"], segment["status"], segment["group"]) == (False, "live", "lifecycle")
    assert (await api.delete("/v1/segments/one-time-buyers")).status_code == 204
    assert (await shelf(api))["one-time-buyers"]["installed"] is None
    assert (await install(api, keys=one))["installed"] == one
    assert (await shelf(api))["one-time-buyers"]["installed"] == 2


async def test_what_is_installed_already_is_left_as_it_is(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await install(api, keys=["leads"])
    await instance.settle()
    again = await install(api, keys=["leads", "leads"])
    assert again == {"installed": [], "unchanged": ["leads"], "kept": []}
    assert await instance.status("leads") == (0, True), "nobody is looked at anew"
    own = {"key": "students", "name": "own", "rule": IN_HANGZHOU}
    assert (await api.post("/v1/segments", json=own)).status_code == 201
    assert (await install(api, keys=["students"]))["kept"] == ["students"]
    assert (await api.get("/v1/segments/students")).json()["rule"] == IN_HANGZHOU


async def test_a_group_is_installed_whole_with_what_its_segments_read(
    api: httpx.AsyncClient,
) -> None:
    assert (await install(api, groups=["risk"], keys=["leads"]))["installed"] == ["leads", *RISK]
    assert await live(api) == {"leads", *RISK}


async def test_what_a_segment_reads_comes_with_it(api: httpx.AsyncClient) -> None:
    both = ["open-complaint", "fading-loyals"]
    assert (await install(api, keys=["fading-loyals"]))["installed"] == both
    assert (await api.get("/v1/segments/open-complaint")).json()["builtin"] is True
    assert (await api.delete("/v1/segments/fading-loyals")).status_code == 204


async def test_without_names_all_are_installed(api: httpx.AsyncClient) -> None:
    assert (await api.post(INSTALL)).json()["installed"] == [one.key for one in LIBRARY]
    assert (await install(api, keys=[]))["unchanged"] == [], "none named are none"


@pytest.mark.parametrize(
    ("spec", "pointer"),
    [
        ({"keys": ["leads", "nope"]}, "/keys/1"),
        ({"groups": ["leads"]}, "/groups/0"),
        ({"keys": "leads"}, "/keys"),
        ({"key": ["leads"]}, ""),
    ],
)
async def test_what_the_library_does_not_have_is_refused_and_nothing_installed(
    api: httpx.AsyncClient, spec: dict[str, Any], pointer: str
) -> None:
    answer = await api.post(INSTALL, json=spec)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["pointer"] == pointer
    assert await live(api) == set()


def test_the_library_reads_nothing_but_itself_and_the_standard_ones_read_no_others() -> None:
    assert with_what_they_read(one.key for one in LIBRARY) == list(LIBRARY)
    assert {one.key for one in with_what_they_read(STANDARD)} == STANDARD
    assert len(STANDARD) == 11
