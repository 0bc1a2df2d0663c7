"""The calls of SDKs: exactly the answers their libraries understand."""

import base64
import gzip
import json
from typing import Any

import msgspec
import pytest

from services.gateway.settings import GatewaySettings
from tests.gateway.harness import AwayLog, Running, running
from tests.gateway.posted import now
from zhiyin.contracts.events import Event, decode_event


def a_message(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "type": "track",
        "messageId": f"m-{number}",
        "userId": f"M{number}",
        "event": "Product Added",
        "properties": {"sku": "P-1"},
        "timestamp": now().isoformat(),
        **changes,
    }


def basic(headers: dict[str, str]) -> dict[str, str]:
    key = headers["authorization"].removeprefix("Bearer ")
    return {"authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode()}


async def events_of(gateway: Running) -> list[Event]:
    return [decode_event(record.value) for record in await gateway.logged()]


async def test_a_batch_is_answered_as_libraries_expect_and_is_in_the_log(gateway: Running) -> None:
    key = basic(await gateway.key("events:write"))
    body = {"batch": [a_message(101), a_message(102)], "sentAt": now().isoformat()}
    answer = await gateway.client.post("/v1/batch", headers=key, json=body)
    assert (answer.status_code, answer.json()) == (200, {"success": True})
    logged = [each for each in await events_of(gateway) if each.event_id in ("m-101", "m-102")]
    assert {each.type for each in logged} == {"browse.carted"}
    assert {each.source for each in logged} == {"sdk"}


@pytest.mark.parametrize(
    ("path", "changes"),
    [
        ("track", {}), ("t", {}), ("identify", {"traits": {}}), ("i", {}), ("page", {"name": "x"}),
        ("p", {}), ("screen", {}), ("group", {"groupId": "g"}), ("g", {}),
        ("alias", {"previousId": "a"}), ("a", {"previousId": "a"}),
    ],
)  # fmt: skip
async def test_each_type_has_a_call_of_its_own_under_both_names(
    gateway: Running, path: str, changes: dict[str, Any]
) -> None:
    key = basic(await gateway.key("events:write"))
    message = {**a_message(3), **changes, "type": None}
    content = json.dumps(message).encode()
    answer = await gateway.client.post(
        f"/v1/{path}", headers={**key, "content-type": "text/plain"}, content=content
    )
    assert (answer.status_code, answer.content) == (200, b'{"success":true}')


async def test_zipped_data_is_known_as_such_whatever_it_is_called(gateway: Running) -> None:
    key = basic(await gateway.key("events:write"))
    zipped = gzip.compress(json.dumps({"batch": [a_message(4)]}).encode())
    for headers in (
        {"content-type": "application/x-www-form-urlencoded"},
        {"content-type": "application/octet-stream", "content-encoding": "gzip"},
    ):
        answer = await gateway.client.post("/v1/batch", headers={**key, **headers}, content=zipped)
        assert answer.status_code == 200
    bomb = gzip.compress(b" " * 6_000_000)
    answer = await gateway.client.post("/v1/batch", headers=key, content=bomb)
    assert answer.status_code == 413


async def test_a_page_that_is_being_left_sends_its_key_in_the_address_or_body(
    gateway: Running,
) -> None:
    key = (await gateway.key("events:write"))["authorization"].removeprefix("Bearer ")
    message = a_message(5)
    for path, body in (
        (f"/beacon/v1/batch?writeKey={key}", {"batch": [message]}),
        ("/v1/b", {"batch": [message], "writeKey": key}),
        ("/v1/t", {**message, "writeKey": key}),
    ):
        answer = await gateway.client.post(path, content=json.dumps(body).encode())
        assert answer.status_code == 200, answer.text
    answer = await gateway.client.post("/v1/t", content=json.dumps(message).encode())
    assert answer.status_code == 401


async def test_refusals_have_a_code_and_a_message_at_the_top(gateway: Running) -> None:
    write, read = await gateway.key("events:write"), await gateway.key("profiles:read")
    nobody = a_message(6, userId=None)
    for headers, body, status, code, pointer in (
        ({}, {"batch": [a_message(6)]}, 401, "unauthenticated", None),
        (read, {"batch": [a_message(6)]}, 403, "forbidden", None),
        (write, {"batch": [nobody]}, 400, "no_identifier", "/batch/0/userId"),
        (write, {"batch": []}, 400, "no_events", None),
        (write, {}, 400, "missing_field", None),
        (write, [], 400, "wrong_type", None),
        (write, {"batch": [a_message(6, type="merge")]}, 400, "unknown_type", "/batch/0/type"),
    ):
        answer = await gateway.client.post("/v1/batch", headers=headers, json=body)
        problem = answer.json()
        assert (answer.status_code, problem["code"]) == (status, code)
        assert problem["message"]
        assert pointer in (None, problem.get("errors", [{}])[0].get("pointer"))


async def test_one_bad_message_costs_only_itself_and_the_plan_says_why(gateway: Running) -> None:
    key = await gateway.key("events:write")
    order = {"event": "Order Completed", "properties": {"total": 5}}
    batch = [
        a_message(7),
        a_message(8, **order),
        a_message(9, userId="null"),
        a_message(10, properties={"sku": "P-1", "note": "x" * 40_000}),
    ]
    answer = await gateway.client.post("/v1/batch", headers=key, json={"batch": batch})
    assert answer.status_code == 200
    logged = {each.event_id: each for each in await events_of(gateway)}
    assert {"m-7", "m-8", "m-10"} <= logged.keys()
    assert "m-9" not in logged
    for event_id, code in (("m-8", "missing_field"), ("m-10", "too_large")):
        assert msgspec.json.decode(logged[event_id].properties)["refused"]["code"] == code
    tallies = gateway.gateway.tracking.tallies.take()
    refusals = {pair.type: dict(tally.refusals) for pair, tally in tallies.items()}
    assert refusals["purchase.completed"] == {"missing_field /properties/order_id": 1}
    assert refusals["browse.carted"] == {"too_large": 1}
    assert refusals["(unreadable)"] == {"placeholder_identifier /userId": 1}


async def test_without_the_log_sdks_are_told_to_come_again(
    settings: GatewaySettings, fresh_redis: str
) -> None:
    async with running(settings, log_type=AwayLog) as gateway:
        key = await gateway.key("events:write")
        body = {"batch": [a_message(11)]}
        answer = await gateway.client.post("/v1/batch", headers=key, json=body)
    assert answer.status_code == 503
    assert int(answer.headers["retry-after"]) >= 1
    assert {"code", "message"} <= answer.json().keys()


async def test_browsers_find_a_source_that_is_on_and_loads_nothing_else(gateway: Running) -> None:
    key = basic(await gateway.key("events:write"))
    asked = "/sourceConfig/?writeKey=zk_x&p=npm"
    assert (await gateway.client.get(asked)).status_code == 401
    source = (await gateway.client.get(asked, headers=key)).json()["source"]
    assert (source["enabled"], source["destinations"]) == (True, [])
    assert source["writeKey"] == "zk_x"
    settings = (await gateway.client.get("/v1/projects/zk_x/settings")).json()
    segment = settings["integrations"]["Segment.io"]
    assert (segment["apiKey"], segment["protocol"]) == ("zk_x", "http")
    assert segment["apiHost"].endswith("/v1")
    assert (await gateway.client.post("/v1/m", content=b"{}")).status_code == 200


async def test_pages_of_any_shop_may_call_what_libraries_call_and_nothing_else(
    gateway: Running,
) -> None:
    page = {"origin": "https://shop.example.com"}
    asked = {
        **page,
        "access-control-request-method": "POST",
        "access-control-request-headers": "anonymousid,authorization,content-type,sentat",
    }
    for path in ("/v1/track", "/v1/t", "/v1/batch", "/sourceConfig/", "/v1/projects/x/settings"):
        preflight = await gateway.client.options(path, headers=asked)
        assert preflight.status_code == 204
        assert preflight.headers["access-control-allow-headers"].count(",") == 3
        answer = await gateway.client.post(path, headers=page)
        assert answer.headers.get_list("access-control-allow-origin") == [page["origin"]]
        assert "retry-after" in answer.headers["access-control-expose-headers"]
    assert (await gateway.client.options("/v1/events", headers=asked)).status_code == 403
    answer = await gateway.client.post("/v1/events", headers=page)
    assert "access-control-allow-origin" not in answer.headers
