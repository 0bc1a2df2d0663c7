"""The HTTP side: definitions, preview, members, history, explanation, a person's segments."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from services.segmentation.domain.ready_segments.shelf import STANDARD
from services.segmentation.main import build_app
from tests.segmentation.harness import PARTITIONS, Instance
from tests.segmentation.people import DORMANT, IN_HANGZHOU, Life, move, purchase
from zhiyin.contracts.instants import DAY
from zhiyin.contracts.profiles import Consent
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry

SECRET = "a secret of the tests"


@pytest.fixture
async def api(instance: Instance) -> AsyncIterator[httpx.AsyncClient]:
    settings = ServiceSettings(postgres="", redis="", secret_key=SECRET)
    app = build_app(
        settings,
        Telemetry("segmentation", "test"),
        instance.database,
        None,
        instance.hot,
        PARTITIONS,
    )
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False),
        base_url="http://segmentation",
        headers={"X-Zhiyin-Internal": internal_token(SECRET)},
    ) as client:
        yield client


async def create(api: httpx.AsyncClient, key: str, rule: Any) -> httpx.Response:
    return await api.post("/v1/segments", json={"key": key, "name": key, "rule": rule})


async def some_people(instance: Instance, count: int = 30) -> None:
    """Every third is dormant; everybody lives in Hangzhou."""
    messages = []
    for number in range(count):
        bought = purchase(wall_clock() - (100 if number % 3 == 0 else 10) * DAY)
        moved = move(wall_clock(), "杭州")
        messages.append(Life(f"p-{number:02}").then(bought, moved).message([bought, moved]))
    await instance.deliver(*messages)


def problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = answer.json()
    assert document["status"] == status
    assert document["code"]
    return document


async def test_a_segment_is_created_shown_changed_and_deleted(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await some_people(instance)
    made = await create(api, "dormant-x", DORMANT)
    assert made.status_code == 201
    assert made.headers["location"] == "/v1/segments/dormant-x"
    assert (made.json()["status"], made.json()["version"]) == ("backfilling", 1)
    await instance.settle()
    shown = (await api.get("/v1/segments/dormant-x")).json()
    assert (shown["status"], shown["count"], shown["progress"]) == ("live", 10, None)
    changed = await api.put(
        "/v1/segments/dormant-x", json={"name": "Awake", "rule": {"not": DORMANT}}
    )
    assert (changed.json()["version"], changed.json()["name"]) == (2, "Awake")
    await instance.settle()
    assert (await api.get("/v1/segments/dormant-x")).json()["count"] == 20
    renamed = await api.put("/v1/segments/dormant-x", json={"name": "N", "rule": {"not": DORMANT}})
    assert (renamed.json()["version"], renamed.json()["status"]) == (2, "live")
    assert (await api.delete("/v1/segments/dormant-x")).status_code == 204
    problem(await api.get("/v1/segments/dormant-x"), 404)
    assert (await api.get("/v1/segments")).json() == {"items": [], "next_cursor": None}


async def test_what_is_no_segment_is_refused_with_pointers(api: httpx.AsyncClient) -> None:
    await create(api, "a", DORMANT)
    assert problem(await create(api, "a", DORMANT), 409)["code"] == "segment_exists"
    bad_op = {"all": [IN_HANGZHOU, {"fact": "orders.count", "op": "??", "value": 1}]}
    refused = problem(await create(api, "b", bad_op), 422)
    assert refused["errors"][0]["pointer"] == "/rule/all/1/op"
    unknown = problem(await create(api, "b", {"any": [{"segment": "nope"}]}), 422)
    assert unknown["errors"][0]["pointer"] == "/rule/any/0/segment"
    assert unknown["code"] == "unknown_segment"
    problem(await api.put("/v1/segments/a", json={"key": "z", "name": "a", "rule": DORMANT}), 422)
    problem(await api.put("/v1/segments/zz", json={"name": "a", "rule": DORMANT}), 404)
    problem(await api.delete("/v1/segments/zz"), 404)


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"[]", 422),
        (b'{"key": "UPPER", "name": "n", "rule": {}}', 422),
        (b'{"key": "k", "name": "", "rule": {"tag": "x"}}', 422),
        (b'{"key": "k", "name": "n", "rule": {"tag": "x"}, "extra": 1}', 422),
        (b'{"key": "k", "name": "n\\u0000", "rule": {"tag": "x"}}', 400),
        (b'{"key": "k", "name": "n", "rule": null}', 422),
        (b'{"key": "k", "name": "n", "rule": ' + b'{"not":' * 5000 + b"1" + b"}" * 5001, 422),
        (b"[" * 100_000, 422),
    ],
)
async def test_malformed_bodies_are_refused(
    api: httpx.AsyncClient, body: bytes, status: int
) -> None:
    answer = await api.post("/v1/segments", content=body)
    assert answer.status_code in {status, 400}
    problem(answer, answer.status_code)


async def test_segments_in_a_circle_are_refused_with_their_path(api: httpx.AsyncClient) -> None:
    await create(api, "a", DORMANT)
    await create(api, "b", {"not": {"segment": "a"}})
    answer = problem(
        await api.put("/v1/segments/a", json={"name": "a", "rule": {"all": [{"segment": "b"}]}}),
        422,
    )
    assert answer["code"] == "segment_cycle"
    assert answer["errors"][0]["pointer"] == "/rule/all/0/segment"
    assert "a → b → a" in answer["message"] or "b → a → b" in answer["message"]
    problem(await create(api, "self", {"segment": "self"}), 422)
    assert problem(await api.delete("/v1/segments/a"), 409)["code"] == "segment_in_use"


async def test_built_in_segments_are_installed_once_and_can_only_be_changed(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await instance.editor.install_built_in()
    await instance.editor.install_built_in()
    items = (await api.get("/v1/segments")).json()["items"]
    assert {one["key"] for one in items} == STANDARD
    assert all(one["text"] and one["group"] and one["names"]["en"] for one in items)
    assert problem(await api.delete("/v1/segments/dormant-90d"), 409)["code"] == "built_in"
    put = await api.put("/v1/segments/dormant-90d", json={"name": "D", "rule": IN_HANGZHOU})
    assert (put.json()["version"], put.json()["builtin"]) == (2, True)
    await instance.editor.install_built_in()
    assert (await api.get("/v1/segments/dormant-90d")).json()["rule"] == IN_HANGZHOU


async def test_a_preview_counts_everybody_exactly(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await some_people(instance, 450)
    await create(api, "dormant-x", DORMANT)
    await instance.settle()
    answer = (await api.post("/v1/segments/preview", json={"rule": DORMANT})).json()
    assert (answer["count"], answer["population"], len(answer["sample"])) == (150, 450, 20)
    assert answer["took_ms"] > 0
    over = {"all": [{"segment": "dormant-x"}, IN_HANGZHOU]}
    assert (await api.post("/v1/segments/preview", json={"rule": over})).json()["count"] == 150
    problem(await api.post("/v1/segments/preview", json={"rule": {"segment": "nope"}}), 422)
    problem(await api.post("/v1/segments/preview", json={}), 422)


async def test_a_preview_counts_aloud_and_says_whom_marketing_reaches(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    messages = []
    for number in range(450):
        life = Life(f"p-{number:03}").then(bought := purchase(wall_clock() - DAY))
        message = life.message([bought])
        facts = msgspec.structs.replace(
            message.snapshot.facts,
            identifiers={"phone": {f"t{number}": ""}} if number % 2 else {},
            consents={"marketing.sms": Consent(number % 3 > 0, "s", 1, "e")},
        )
        snapshot = msgspec.structs.replace(message.snapshot, facts=facts)
        messages.append(msgspec.structs.replace(message, snapshot=snapshot))
    await instance.deliver(*messages)
    query = {"rule": {"fact": "orders.count", "op": "eq", "value": 1}}
    headers = {"accept": "application/x-ndjson"}
    answer = await api.post("/v1/segments/preview", json=query, headers=headers)
    assert answer.headers["content-type"] == "application/x-ndjson"
    *earlier, last = [msgspec.json.decode(line) for line in answer.text.splitlines()]
    assert [each["done"] for each in earlier] == [False] * len(earlier)
    assert (last["done"], last["count"], last["population"]) == (True, 450, 450)
    assert (last["reachable"]["sms"], last["reachable"]["any"]) == (150, 150)
    assert last["reachable"]["email"] == 0
    whole = (await api.post("/v1/segments/preview", json=query)).json()
    assert whole["reachable"] == last["reachable"]
    refused = await api.post("/v1/segments/preview", json={"rule": {"x": 1}}, headers=headers)
    problem(refused, 422)


async def test_the_overlap_of_segments_is_exact(api: httpx.AsyncClient, instance: Instance) -> None:
    await some_people(instance)
    await create(api, "dormant-x", DORMANT)
    await create(api, "here", IN_HANGZHOU)
    await create(api, "awake", {"not": DORMANT})
    await instance.settle()
    keys = ["dormant-x", "here", "awake"]
    found = (await api.post("/v1/segments/overlap", json={"segments": keys})).json()
    assert found["counts"] == {"dormant-x": 10, "here": 30, "awake": 20}
    assert {(*one["inside"], one["count"]) for one in found["regions"]} == {
        ("dormant-x", "here", 10),
        ("here", "awake", 20),
    }
    assert found["union"] == 30
    for wrong, status in ((["here"], 422), (["here", "here"], 422), (["here", "nope"], 404)):
        problem(await api.post("/v1/segments/overlap", json={"segments": wrong}), status)


async def test_members_and_history_come_in_pages(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await create(api, "dormant-x", DORMANT)
    await instance.settle()
    await some_people(instance)
    for path, field in (("members", "profile_id"), ("history", "profile_id")):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            query = {"limit": 4, **({"cursor": cursor} if cursor else {})}
            page = (await api.get(f"/v1/segments/dormant-x/{path}", params=query)).json()
            seen += [one[field] for one in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                break
        assert sorted(seen) == [f"p-{number:02}" for number in range(0, 30, 3)]
    history = (await api.get("/v1/segments/dormant-x/history")).json()
    assert history["items"][0]["change"] == "entered"
    assert [(one["entered"], one["left"], one["count"]) for one in history["sizes"]] == [
        (10, 0, 10)
    ]


async def test_cursors_and_limits_that_are_none_are_refused(api: httpx.AsyncClient) -> None:
    await create(api, "dormant-x", DORMANT)
    for path in ("members", "history"):
        for cursor in ("x", "!!!", "kaQA", "gqFhoWI", "zwAAAAAAAAAA" * 200):
            query = {"cursor": cursor}
            problem(await api.get(f"/v1/segments/dormant-x/{path}", params=query), 400)
        for limit in ("0", "501", "x"):
            problem(await api.get(f"/v1/segments/dormant-x/{path}", params={"limit": limit}), 422)
        problem(await api.get(f"/v1/segments/nope/{path}"), 404)
    problem(await api.get("/v1/segments/%00"), 404)
    problem(await api.get("/v1/segments/dormant-x/explain/%00"), 404)


async def test_an_explanation_names_clauses_evidence_and_the_next_flip(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await create(api, "both", {"all": [DORMANT, IN_HANGZHOU]})
    await instance.settle()
    await some_people(instance, 2)
    inside = (await api.get("/v1/segments/both/explain/p-00")).json()
    assert (inside["matches"], inside["member"], inside["pending"]) == (True, True, False)
    assert inside["since"]
    outside = (await api.get("/v1/segments/both/explain/p-01")).json()
    assert (outside["matches"], outside["rule_version"]) == (False, 1)
    assert outside["next_flip"]
    assert [one["matches"] for one in outside["clauses"]["clauses"]] == [False, True]
    assert outside["clauses"]["clauses"][0]["evidence"]
    problem(await api.get("/v1/segments/both/explain/nobody"), 404)
    problem(await api.get("/v1/segments/nope/explain/p-00"), 404)


async def test_a_persons_segments_say_since_when_and_refill_the_hot_copy(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await create(api, "dormant-x", DORMANT)
    await instance.settle()
    await some_people(instance, 1)
    (item,) = (await api.get("/v1/profiles/p-00/segments")).json()["items"]
    assert (item["segment"], item["rule_version"]) == ("dormant-x", 1)
    problem(await api.get("/v1/profiles/nobody/segments"), 404)
    await instance.redis.flushall()
    refilled = (await api.get("/internal/segments/p-00")).json()
    assert refilled.pop("profile_version") >= 1
    assert refilled == {"version": 1, "segments": ["dormant-x"]}
    packed = await instance.redis.get("s:p-00")
    assert msgspec.msgpack.decode(packed) == refilled


async def test_only_the_gateway_is_answered(api: httpx.AsyncClient) -> None:
    problem(await api.get("/v1/segments", headers={"X-Zhiyin-Internal": "guess"}), 401)
