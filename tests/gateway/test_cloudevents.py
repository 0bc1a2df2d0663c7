"""CloudEvents 1.0 at the door: binary, structured and in batches."""

import base64
import json
from typing import Any

import httpx
import pytest

from services.gateway.domain.cloudevents import BATCH, STRUCTURED
from tests.gateway.harness import Running
from tests.gateway.posted import now

ORDER = {"order_id": "O-1", "total": "259.00"}


def an_envelope(number: str, **changes: Any) -> dict[str, Any]:
    envelope = {
        "specversion": "1.0",
        "id": f"ce-{number}",
        "source": "/shops/tmall",
        "type": "purchase.completed",
        "time": now().isoformat(),
        "data": {"customer": {"member_id": f"C{number}"}, "properties": ORDER},
        **changes,
    }
    return {name: value for name, value in envelope.items() if value is not None}


async def post(gateway: Running, body: Any, media_type: str, **headers: str) -> httpx.Response:
    key = await gateway.key("events:write")
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await gateway.client.post(
        "/v1/events", headers={**key, "content-type": media_type, **headers}, content=content
    )


async def test_a_structured_event_is_one_of_ours(gateway: Running) -> None:
    answer = await post(gateway, an_envelope("1"), STRUCTURED + "; charset=utf-8")
    assert (answer.status_code, answer.json()["accepted"]) == (202, 1)
    [event] = await gateway.events("C1")
    assert (event.event_id, event.source) == ("ce-1", "/shops/tmall")
    assert json.loads(bytes(event.properties)) == ORDER


async def test_a_batch_tells_what_is_wrong_with_which(gateway: Running) -> None:
    batch = [
        an_envelope("2"),
        an_envelope("3", time="soon"),
        an_envelope("4", specversion="0.3"),
        an_envelope("5", data={"customer": {"phone": "1"}, "properties": ORDER}),
        an_envelope("6", source=None),
        "nonsense",
        an_envelope("7", data={"customer": {"member_id": "C7"}, "properties": {"total": 1}}),
    ]
    answer = await post(gateway, batch, BATCH)
    assert answer.status_code == 202, answer.text
    refused = {each["index"]: each for each in answer.json()["rejected"]}
    assert answer.json()["accepted"] == 1
    assert {index: each["pointer"] for index, each in refused.items()} == {
        1: "/1/time",
        2: "/2/specversion",
        3: "/3/data/customer/phone",
        4: "/4/source",
        5: "/5",
        6: "/6/data/properties/order_id",
    }
    assert refused[4]["event_id"] == "ce-6"
    assert refused[2]["code"] == "unsupported_version"


async def test_a_binary_event_has_its_attributes_in_headers(gateway: Running) -> None:
    attributes = {
        "ce-specversion": "1.0",
        "ce-id": "ce-8",
        "ce-source": "/%E5%BA%97",
        "ce-type": "purchase.completed",
        "ce-subject": "member_id:C8",
    }
    answer = await post(gateway, ORDER, "application/json", **attributes)
    assert answer.status_code == 202, answer.text
    [event] = await gateway.events("C8")
    assert (event.event_id, event.source) == ("ce-8", "/店")
    assert json.loads(bytes(event.properties)) == ORDER
    bad = await post(gateway, {"total": 1}, "application/json", **attributes)
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "/data/order_id")
    nobody = {**attributes, "ce-subject": "shoe_size:42"}
    bad = await post(gateway, ORDER, "application/json", **nobody)
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "/subject")
    del attributes["ce-id"]
    bad = await post(gateway, ORDER, "application/json", **attributes)
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "/id")


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"id": 5}, "/id"),
        ({"datacontenttype": "text/xml"}, "/datacontenttype"),
        ({"data": "text"}, "/data"),
        ({"data": None, "data_base64": "?"}, "/data_base64"),
        ({"data": None}, "/data/customer"),
        ({"type": "com.example.order"}, "/type"),
        ({"id": None, "time": None}, "/id"),
    ],
)
async def test_what_is_wrong_with_an_envelope_is_told_with_its_place(
    gateway: Running, changes: dict[str, Any], pointer: str
) -> None:
    answer = await post(gateway, an_envelope("9", **changes), STRUCTURED)
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, pointer)


async def test_data_may_be_base64_history_and_without_a_time(gateway: Running) -> None:
    data = {"customer": {"member_id": "C10"}, "properties": ORDER, "import": True}
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    envelope = an_envelope("10", data=None, data_base64=encoded, time=None)
    assert (await post(gateway, envelope, STRUCTURED)).status_code == 202
    [event] = await gateway.events("C10")
    assert event.imported
    assert event.occurred_at == event.received_at


@pytest.mark.parametrize(
    ("body", "media_type", "code"),
    [
        (b"{", STRUCTURED, "invalid_value"),
        (b"[]", STRUCTURED, "wrong_type"),
        (b"{}", BATCH, "invalid_body"),
        (b"[]", BATCH, "no_events"),
        (b"[" * 100_000, BATCH, "invalid_body"),
        (b'{"data":' * 5_000, STRUCTURED, "too_deep"),
        (b"\xff", STRUCTURED, "invalid_value"),
    ],
)
async def test_what_is_no_cloudevent_is_refused(
    gateway: Running, body: bytes, media_type: str, code: str
) -> None:
    answer = await post(gateway, body, media_type)
    assert (answer.status_code, answer.json()["code"]) == (400, code)
