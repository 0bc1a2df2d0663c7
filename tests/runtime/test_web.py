"""The HTTP side of a service: guarded, clear about what is wrong, never a 500 for bad input."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

import httpx
import msgspec
import pytest
from fastapi import APIRouter, Request
from starlette.responses import Response

from tests.runtime.counting import Bench
from zhiyin.runtime.bodies import field_error
from zhiyin.runtime.http import internal_token
from zhiyin.runtime.settings import ServiceSettings
from zhiyin.runtime.telemetry import Telemetry
from zhiyin.runtime.web import Page, body, decode_cursor, encode_cursor, json, service_app
from zhiyin.runtime.worker import Worker

SECRET = "a secret for tests only"
SETTINGS = ServiceSettings(postgres="", redis="", secret_key=SECRET)
INSIDE = {"x-zhiyin-internal": internal_token(SECRET)}


class Line(msgspec.Struct):
    sku: str
    quantity: Annotated[int, msgspec.Meta(ge=1)]


class Order(msgspec.Struct):
    lines: list[Line]


router = APIRouter()


@router.post("/v1/orders")
async def take_order(request: Request) -> Response:
    return json(body(Order, await request.body()), 201)


@router.get("/v1/broken")
async def broken() -> Response:
    raise ConnectionResetError("as asked")


@router.get("/v1/pages")
async def pages(cursor: str) -> Response:
    return json(Page([decode_cursor(cursor, tuple[int, str])]))


@pytest.fixture
async def worker(bench: Bench) -> AsyncIterator[Worker]:
    async with bench.worker() as worker:
        await bench.until_owned(worker, 4)
        yield worker


@pytest.fixture
async def client(bench: Bench, worker: Worker) -> AsyncIterator[httpx.AsyncClient]:
    telemetry = Telemetry("counting", "counting-1")
    app = service_app(SETTINGS, telemetry, database=bench.db, worker=worker, routers=[router])
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(
        transport=transport, base_url="http://counting", headers=INSIDE
    ) as client:
        yield client


async def test_only_our_own_services_may_call(client: httpx.AsyncClient) -> None:
    for path in ("/v1/orders", "/internal/system"):
        refused = await client.post(path, headers={"x-zhiyin-internal": "é".encode("latin-1")})
        assert refused.status_code == 401
        assert refused.json()["code"] == "internal_only"
    assert (await client.get("/healthz", headers={"x-zhiyin-internal": ""})).status_code == 200


async def test_a_wrong_body_is_refused_with_a_pointer(client: httpx.AsyncClient) -> None:
    refused = await client.post("/v1/orders", content=b'{"lines": [{"sku": "a", "quantity": 0}]}')
    assert refused.status_code == 422
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["errors"][0]["pointer"] == "/lines/0/quantity"
    assert refused.json()["trace_id"] == refused.headers["x-trace-id"]


def test_a_pointer_ends_where_the_place_is_known() -> None:
    for place, pointer in (
        ("$.rule[...].op", "/rule"),
        ("$[...][0]", ""),
        ("$.a/b[3].c", "/a~1b/3/c"),
        ("$", ""),
    ):
        found = field_error(f"Expected `str`, got `int` - at `{place}`")
        assert (found.pointer, found.message) == (pointer, "Expected `str`, got `int`")


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"\xff", b'{"lines": "\\u0000"}', b"[" * 100_000, b'"\\ud800"']
)
async def test_what_is_not_json_is_refused(client: httpx.AsyncClient, raw: bytes) -> None:
    refused = await client.post("/v1/orders", content=raw)
    assert refused.status_code in (400, 422)
    assert refused.json()["code"] in ("malformed_json", "nul_character", "invalid")


async def test_an_escaped_backslash_before_u0000_is_plain_text(client: httpx.AsyncClient) -> None:
    raw = rb'{"lines": [{"sku": "\\u0000", "quantity": 1}]}'
    assert (await client.post("/v1/orders", content=raw)).status_code == 201


async def test_an_outage_is_told_as_503_to_be_tried_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/broken")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "1"


async def test_a_caller_s_trace_is_joined(client: httpx.AsyncClient) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    assert (await client.get("/v1/none", headers=headers)).json()["trace_id"] == trace


async def test_cursors_are_read_back_and_foreign_ones_refused(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/pages", params={"cursor": encode_cursor(7, "x")})
    assert answer.json()["items"] == [[7, "x"]]
    for wrong in ("", "%%%", "a" * 5000, encode_cursor("x", 7)):
        refused = await client.get("/v1/pages", params={"cursor": wrong})
        assert refused.json()["code"] == "invalid_cursor"


async def test_a_service_tells_how_it_is(client: httpx.AsyncClient, bench: Bench) -> None:
    await bench.send("a")
    await bench.until_counted(1)
    assert (await client.get("/readyz")).json() == {"ready": True, "waiting_for": []}
    system = (await client.get("/internal/system")).json()
    assert system["owned"] == [0, 1, 2, 3]
    assert system["memory_bytes"] > 10_000_000
    assert b"zhiyin_" in (await client.get("/metrics")).content


async def test_dead_letters_are_listed_and_replayed_once(
    client: httpx.AsyncClient, bench: Bench
) -> None:
    await bench.send("raise", "reject", "a")
    await bench.until_counted(1)
    await bench.eventually(lambda: _two_dead(bench))
    first = (await client.get("/v1/dead-letters", params={"limit": 1})).json()
    second = (await client.get("/v1/dead-letters", params={"cursor": first["next_cursor"]})).json()
    letters = [*first["items"], *second["items"]]
    assert {letter["value"] for letter in letters} == {"raise", "reject"}
    raised = next(letter for letter in letters if letter["value"] == "raise")
    again = f"/v1/dead-letters/{raised['id']}/replay"
    assert (await client.post(again)).status_code == 202
    assert (await client.post(again)).json()["already"] is True

    async def dead_again() -> bool:
        return len(await bench.dead()) == 3

    await bench.eventually(dead_again)
    assert (await client.post("/v1/dead-letters/999/replay")).status_code == 404
    assert (await client.post("/v1/dead-letters/x/replay")).status_code == 422
    assert (await client.post(f"/v1/dead-letters/{2**70}/replay")).status_code == 404


async def _two_dead(bench: Bench) -> bool:
    await asyncio.sleep(0)
    return len(await bench.dead()) == 2
