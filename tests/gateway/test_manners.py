"""How the gateway behaves towards its callers: pages in browsers, caches, the impatient."""

import gzip
import json
from typing import Any

import httpx
import msgspec
import pytest

from services.gateway.cors import origins_of
from services.gateway.limits import ProfileLimits
from services.gateway.room import Room
from services.gateway.settings import GatewaySettings
from tests.gateway.harness import Running, running
from tests.gateway.posted import a_purchase
from tests.gateway.test_reads import a_person, heat
from zhiyin.contracts.profiles import Attribute

SHOP = "https://shop.example.com"
SDK_HEADERS = "anonymousid, authorization, content-type, sentat"


def changed(settings: GatewaySettings, **fields: Any) -> GatewaySettings:
    return msgspec.structs.replace(settings, **fields)


async def preflight(gateway: Running, origin: str) -> httpx.Response:
    asked = {
        "origin": origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": SDK_HEADERS,
    }
    return await gateway.client.options("/v1/events", headers=asked)


async def test_pages_of_listed_origins_may_call_and_others_may_not(
    settings: GatewaySettings, fresh_redis: str
) -> None:
    origins = origins_of(f"{SHOP}/, https://*.brand.cn")
    async with running(changed(settings, cors_origins=origins)) as gateway:
        for origin in (SHOP, "https://m.brand.cn", "https://a.b.brand.cn"):
            granted = await preflight(gateway, origin)
            assert (granted.status_code, granted.content) == (204, b"")
            assert granted.headers["access-control-allow-origin"] == origin
            assert granted.headers["access-control-allow-headers"] == SDK_HEADERS
            assert "POST" in granted.headers["access-control-allow-methods"]
            assert "access-control-allow-credentials" not in granted.headers
        for origin in ("https://evil.com", "https://brand.cn", "http://shop.example.com", "null"):
            refused = await preflight(gateway, origin)
            assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
            assert "access-control-allow-origin" not in refused.headers
        answer = await gateway.client.get("/v1/profiles/p1", headers={"origin": SHOP})
        assert answer.status_code == 401
        assert answer.headers["access-control-allow-origin"] == SHOP
        assert "retry-after" in answer.headers["access-control-expose-headers"]
        assert "Origin" in answer.headers["vary"]


async def test_without_a_list_no_page_may_call(gateway: Running) -> None:
    assert (await preflight(gateway, SHOP)).status_code == 403
    answer = await gateway.client.get("/healthz", headers={"origin": SHOP})
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("text", ["shop.example.com", "https://x/y", "ftp://x", "https://*"])
def test_what_is_no_origin_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="is not an origin"):
        origins_of(text)


async def test_who_has_the_answer_already_is_told_so(gateway: Running) -> None:
    await heat(gateway, a_person("m1"), m1=["vip"])
    key = await gateway.key("profiles:read")
    first = await gateway.client.get("/v1/profiles/m1", headers=key)
    assert first.headers["cache-control"] == "private, no-cache"
    etag = first.headers["etag"]
    for stated in (etag, f'"other", {etag}', "*", etag.removeprefix("W/")):
        again = await gateway.client.get(
            "/v1/profiles/m1", headers={**key, "if-none-match": stated}
        )
        assert (again.status_code, again.content) == (304, b""), stated
        assert again.headers["etag"] == etag
    await heat(gateway, msgspec.structs.replace(a_person("m1"), version=9), m1=["vip"])
    fresh = await gateway.client.get("/v1/profiles/m1", headers={**key, "if-none-match": etag})
    assert (fresh.status_code, fresh.json()["version"]) == (200, 9)
    assert fresh.headers["etag"] != etag


async def test_in_clear_and_masked_are_not_the_same_and_clear_is_not_kept(
    gateway: Running,
) -> None:
    name = {"name": Attribute("张小明", "crm", 0, "e")}
    await heat(gateway, a_person("m2", attributes=name), m2=[])
    masked = await gateway.client.get("/v1/profiles/m2", headers=await gateway.key("admin"))
    pii = {**await gateway.key("profiles:read_pii"), "if-none-match": masked.headers["etag"]}
    clear = await gateway.client.get("/v1/profiles/m2", headers=pii)
    assert (clear.status_code, clear.headers["cache-control"]) == (200, "no-store")


async def test_forwarded_reads_have_etags_too(gateway: Running) -> None:
    key = await gateway.key("segments:read")
    gateway.behind.answer = (200, {"items": [], "next_cursor": None})
    first = await gateway.client.get("/v1/segments", headers=key)
    match = {**key, "if-none-match": first.headers["etag"]}
    assert (await gateway.client.get("/v1/segments", headers=match)).status_code == 304
    gateway.behind.answer = (200, {"items": [1], "next_cursor": None})
    assert (await gateway.client.get("/v1/segments", headers=match)).status_code == 200


async def test_long_answers_are_zipped_for_those_who_take_it(gateway: Running) -> None:
    for accepted, zipped in (("gzip, br", True), ("br", False), ("gzip;q=0", False)):
        asked = {"accept-encoding": accepted}
        async with gateway.client.stream("GET", "/openapi.json", headers=asked) as answer:
            raw = b"".join([part async for part in answer.aiter_raw()])
        assert (answer.headers.get("content-encoding") == "gzip") is zipped, accepted
        assert int(answer.headers["content-length"]) == len(raw)
        assert "Accept-Encoding" in answer.headers["vary"]
        document = json.loads(gzip.decompress(raw) if zipped else raw)
        assert document["openapi"]


async def test_a_request_keeps_its_id_or_gets_that_of_its_trace(gateway: Running) -> None:
    own = await gateway.client.get("/healthz", headers={"x-request-id": "till-7/0042"})
    assert own.headers["x-request-id"] == "till-7/0042"
    for unfit in ("a b", "x" * 200):
        answer = await gateway.client.get("/healthz", headers={"x-request-id": unfit})
        assert answer.headers["x-request-id"] == answer.headers["x-trace-id"]


async def test_one_profile_cannot_be_asked_about_without_end(
    settings: GatewaySettings, fresh_redis: str
) -> None:
    async with running(changed(settings, profile_rate_limit=1)) as gateway:
        await heat(gateway, a_person("m3"), a_person("m4"), m3=[], m4=[])
        key = await gateway.key("profiles:read")
        answers = [
            await gateway.client.get("/v1/profiles/by/member_id/M-m3", headers=key)
            for _ in range(8)
        ]
        other = await gateway.client.get("/v1/profiles/m4", headers=key)
    assert [answer.status_code for answer in answers[:2]] == [200, 200]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused[0].json()["message"] == "too many requests about this profile"
    assert int(refused[0].headers["retry-after"]) >= 1
    assert '"profile";r=0' in refused[0].headers["ratelimit"]
    assert '"key";q=' in refused[0].headers["ratelimit-policy"]
    assert other.status_code == 200


def test_a_limit_about_a_profile_recovers_with_time() -> None:
    times = iter((0.0, 0.0, 0.0, 0.5, 0.5))
    limits = ProfileLimits(2, lambda: next(times))
    assert [limits.take("p").allowed for _ in range(3)] == [True, True, True]
    assert [limits.take("p").remaining for _ in range(2)] == [1, 0]


async def test_bodies_share_a_room_and_those_without_place_come_again(
    settings: GatewaySettings, fresh_redis: str
) -> None:
    async with running(settings) as gateway:
        room: Room = gateway.gateway.room
        whole = room.free
        key = await gateway.key("events:write")
        room.free = 100
        refused = await gateway.client.post("/v1/events", headers=key, json=a_purchase())
        assert (refused.status_code, refused.json()["code"]) == (429, "busy")
        assert refused.headers["retry-after"] == "1"
        assert room.free == 100
        room.free = whole
        taken = await gateway.client.post("/v1/events", headers=key, json=a_purchase())
        assert (taken.status_code, room.free) == (202, whole)
        bomb = gzip.compress(b'{"events": [' + b" " * 4_000_000 + b"]}")
        room.free = 1_000_000
        sent = {**key, "content-encoding": "gzip"}
        answer = await gateway.client.post("/v1/events", headers=sent, content=bomb)
        assert (answer.status_code, room.free) == (429, 1_000_000)
