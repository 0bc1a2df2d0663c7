"""Posting events over HTTP: receipts, partial acceptance, limits, and what reaches the log."""

import asyncio
import gzip
import json
from typing import Any

import asyncpg
import httpx
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from services.gateway.settings import GatewaySettings
from tests.gateway.harness import AwayLog, Running, running
from tests.gateway.posted import a_purchase, an_event
from zhiyin.contracts.receipts import marks_of

PHONE = "+8613912345678"
EMAIL = "planted.person@example.com"


async def post(gateway: Running, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    key = await gateway.key("events:write")
    sent = {"content-type": "application/json", **key, **headers}
    return await gateway.client.post("/v1/events", content=content, headers=sent)


async def test_one_event_is_in_the_log_once_it_is_answered(gateway: Running) -> None:
    answer = await post(gateway, a_purchase("M-one"))
    assert answer.status_code == 202, answer.text
    body = answer.json()
    assert (body["accepted"], body["rejected"]) == (1, [])
    [event] = await gateway.events("M-one")
    assert event.received_at is not None
    marks = marks_of(body["receipt"])
    assert marks is not None
    assert [mark.topic for mark in marks] == ["events.purchase"]


@pytest.mark.parametrize(
    "said",
    [
        "",
        "application/json;charset=UTF-8",
        "text/plain;charset=utf-8",
        "application/x-www-form-urlencoded",
    ],
)
async def test_json_is_taken_by_whatever_name_simple_clients_send_it(
    gateway: Running, said: str
) -> None:
    answer = await post(gateway, a_purchase(), **{"content-type": said})
    assert answer.status_code == 202, answer.text


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("application/cloudevents+avro", "CloudEvents"),
        ("multipart/form-data; boundary=x", "forms and files"),
    ],
)
async def test_what_would_be_misread_is_refused_with_the_reason(
    gateway: Running, said: str, word: str
) -> None:
    answer = await post(gateway, a_purchase(), **{"content-type": said})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert word in answer.json()["message"]


async def test_valid_events_of_a_batch_are_taken_and_the_others_named(gateway: Running) -> None:
    events = [a_purchase("M-batch"), a_purchase(occurred_at="soon"), a_purchase("M-batch")]
    answer = await post(gateway, {"events": events})
    assert answer.status_code == 202
    [refusal] = answer.json()["rejected"]
    assert refusal["index"] == 1
    assert refusal["event_id"] == events[1]["event_id"]
    assert refusal["pointer"] == "/events/1/occurred_at"
    assert len(await gateway.events("M-batch")) == 2


async def test_a_batch_without_a_valid_event_is_refused_with_each_reason(gateway: Running) -> None:
    answer = await post(gateway, {"events": [a_purchase(type="x"), a_purchase(customer={})]})
    assert answer.status_code == 400
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == "unknown_type"
    assert [error["pointer"] for error in problem["errors"]] == [
        "/events/0/type",
        "/events/1/customer",
    ]
    assert len(problem["trace_id"]) == 32


async def test_an_unpaired_surrogate_spoils_its_own_event_only(gateway: Running) -> None:
    spoiled = json.dumps(an_event("custom.x", {"a": "\ud800x"}))
    body = f'{{"events": [{json.dumps(a_purchase("M-sur"))}, {spoiled}]}}'
    answer = await post(gateway, body.encode())
    assert answer.status_code == 202, answer.text
    assert [each["index"] for each in answer.json()["rejected"]] == [1]


async def test_no_phone_or_email_in_clear_reaches_the_log(gateway: Running) -> None:
    customer = {"member_id": "M-pii", "phone": PHONE, "email": EMAIL.upper()}
    text = f"call 139 1234 5678 or {EMAIL}"
    events = [
        a_purchase(customer=customer),
        an_event("support.messaged", {"ticket_id": "T", "text": text}, customer=customer),
        an_event("custom.form", {"contact": {"email": EMAIL}}, customer=customer),
    ]
    assert (await post(gateway, {"events": events})).json()["accepted"] == 3
    records = await gateway.logged()
    everything = b"".join(record.value + record.key.encode() for record in records).lower()
    for planted in (b"13912345678", b"139 1234 5678", EMAIL.encode(), b"planted.person"):
        assert planted not in everything
    [event, *_] = await gateway.events("M-pii")
    async with gateway.gateway.database.connection() as connection:
        rows = await connection.fetch(
            "SELECT * FROM vault WHERE token = $1", event.customer["phone"]
        )
    assert len(rows) == 1
    assert b"13912345678" not in rows[0]["sealed"]


async def test_the_trace_goes_on_in_the_log(gateway: Running) -> None:
    trace = "4bf92f3577b34da6a3ce929d0e0e4736"
    given_parent = f"00-{trace}-00f067aa0ba902b7-01"
    answer = await post(gateway, a_purchase("M-trace"), traceparent=given_parent)
    assert answer.headers["x-trace-id"] == trace
    [record] = [one for one in await gateway.logged() if one.key == "member_id:M-trace"]
    assert trace.encode() in (record.header("traceparent") or b"")


async def test_gzip_is_unpacked_and_bombs_are_not(gateway: Running) -> None:
    body = json.dumps(a_purchase()).encode()
    zipped = await post(gateway, gzip.compress(body), **{"content-encoding": "gzip"})
    assert zipped.status_code == 202
    bomb = gzip.compress(b" " * 30_000_000, compresslevel=1)
    answer = await post(gateway, bomb, **{"content-encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"nonsense", {}, 400),
        (b"\xff\xfe", {}, 400),
        (b"[]", {}, 400),
        (b'{"events": []}', {}, 400),
        (b'{"events": 5}', {}, 400),
        (b'{"events": [' + b"1," * 2500 + b"1]}", {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"a": NaN}', {}, 400),
        (b" " * (5 * 1024 * 1024 + 1), {}, 413),
        (b"not gzip", {"content-encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0)[:-4], {"content-encoding": "gzip"}, 400),
        (gzip.compress(b"{}", mtime=0) + b"junk", {"content-encoding": "gzip"}, 400),
        (b"{}", {"content-encoding": "br"}, 415),
        (b"{}", {"content-type": "text/xml"}, 415),
        (b"a=b&c=d", {"content-type": "application/x-www-form-urlencoded"}, 400),
        (b"{}", {"content-type": "application/json; charset=gbk"}, 415),
    ],
)
async def test_a_bad_body_is_a_problem_and_never_an_error(
    gateway: Running, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await post(gateway, body, **headers)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert {"type", "title", "status", "detail", "instance", "code", "message", "trace_id"} <= set(
        answer.json()
    )


async def test_a_log_that_does_not_confirm_is_503_with_a_time_to_come_back(
    settings: GatewaySettings, fresh_redis: str
) -> None:
    async with running(settings, log_type=AwayLog) as gateway:
        answer = await post(gateway, a_purchase())
    assert answer.status_code == 503
    assert answer.headers["retry-after"].isdecimal()
    assert answer.json()["code"] == "unavailable"


async def test_a_log_that_hangs_is_503_before_the_storefront_hangs_up(gateway: Running) -> None:
    admin = await asyncpg.connect(gateway.gateway.settings.service.postgres)
    try:
        async with admin.transaction():
            await admin.execute("LOCK TABLE log.chunk")
            async with asyncio.timeout(9):
                answer = await post(gateway, a_purchase("M-hung"))
    finally:
        await admin.close()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (await post(gateway, a_purchase("M-after"))).status_code == 202


async def test_too_much_under_way_is_429(gateway: Running) -> None:
    gateway.gateway.ingest._free = 0
    answer = await post(gateway, a_purchase())
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "1")


@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(body=st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
async def test_whatever_is_posted_is_answered_below_500(gateway: Running, body: bytes) -> None:
    answer = await post(gateway, body)
    assert 200 <= answer.status_code < 500
