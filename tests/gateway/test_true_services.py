"""The gateway before the true services: from an event to the person's page."""

import asyncio
import csv
from collections.abc import AsyncIterator

import httpx
import msgspec
import pytest

from tests.gateway.harness import Running
from tests.gateway.posted import a_purchase
from tests.gateway.true_services import SERVICES, a_platform


@pytest.fixture
async def platform(fresh_database: str, fresh_redis: str) -> AsyncIterator[Running]:
    async with a_platform(fresh_database, fresh_redis) as gateway:
        yield gateway


async def test_an_event_reaches_profile_segments_and_every_list(platform: Running) -> None:
    key = await platform.key("admin")

    async def ask(method: str, path: str, body: object = None) -> httpx.Response:
        return await platform.client.request(method, path, headers=key, json=body)

    async with asyncio.timeout(60):  # built-in segments are seeded and filled first
        while True:
            segments = (await ask("GET", "/v1/segments")).json()["items"]
            if segments and all(segment["status"] == "live" for segment in segments):
                break
            await asyncio.sleep(0.1)
    customer = {"member_id": "M1", "phone": "13800001111"}
    order = {"order_id": "O-1", "total": "20000"}
    posted = await ask("POST", "/v1/events", a_purchase(customer=customer, properties=order))
    receipt = posted.json()["receipt"]
    read = await ask("GET", f"/v1/profiles/by/phone/+8613800001111?after={receipt}")
    assert read.status_code == 200, read.text
    person = read.json()
    assert person["orders"]["total"] == "20000.00"
    assert "big-spender-10k" in person["segments"]
    assert person["identifiers"] == {"member_id": ["M1"], "phone": ["138****1111"]}
    profile_id = person["profile_id"]
    for noun in ("timeline", "segments", "actions", "coupons"):
        answer = await ask("GET", f"/v1/profiles/{profile_id}/{noun}?limit=5")
        assert answer.status_code == 200, answer.text
        assert "13800001111" not in answer.text
    for listing in ("segments", "tag-rules", "campaigns", "coupon-templates", "channels"):
        assert (await ask("GET", f"/v1/{listing}")).status_code == 200
    tagged = await ask("PUT", f"/v1/profiles/{profile_id}/tags/vip")
    assert tagged.status_code == 202
    after = await ask("GET", f"/v1/profiles/{profile_id}?after={tagged.json()['receipt']}")
    assert [tag["tag"] for tag in after.json()["tags"]] == ["vip"]
    await exports_show_what_the_key_may_see(platform)
    preview = await platform.client.post(
        "/v1/segments/preview",
        headers={**key, "accept": "application/x-ndjson"},
        json={"rule": {"segment": "big-spender-10k"}},
    )
    assert preview.headers["content-type"] == "application/x-ndjson"
    assert msgspec.json.decode(preview.text.splitlines()[-1])["reachable"]["sms"] == 1
    system = (await ask("GET", "/v1/system")).json()
    assert set(system["services"]) == {"gateway", *SERVICES}
    assert system["delays"]["event_to_profile"]["total_count"] >= 1
    # Filling the built-in segments took a while, and that is not lateness.
    assert not [problem for problem in system["problems"] if "due_to_fired" in problem]
    letters = await ask("GET", "/v1/dead-letters")
    assert letters.json() == {"items": [], "next_cursor": None, "unavailable": []}


async def exports_show_what_the_key_may_see(platform: Running) -> None:
    path = "/v1/segments/big-spender-10k/export"
    seen = {}
    for name, scopes in {
        "ids": ["segments:read"],
        "masked": ["segments:read", "profiles:read"],
        "clear": ["segments:read", "profiles:read_pii"],
    }.items():
        key = await platform.key(*scopes)
        answer = await platform.client.get(f"{path}?reason=audit", headers=key)
        assert answer.headers["content-type"].startswith("text/csv")
        (row,) = csv.DictReader(answer.text.splitlines())
        seen[name] = row.get("phone")
        file = await platform.client.get(f"{path}?format=parquet", headers=key)
        assert (file.content[:4], file.content[-4:]) == (b"PAR1", b"PAR1")
    assert seen == {"ids": None, "masked": "138****1111", "clear": "+8613800001111"}
    assert (await platform.client.get(f"{path}?format=xml", headers=key)).status_code == 422
    away = await platform.client.get("/v1/segments/nope/export", headers=key)
    assert away.status_code == 404
    admin = await platform.key("admin")
    trail = (await platform.client.get("/v1/audit", headers=admin)).json()["items"]
    assert {"segments.export", "profile.read_unmasked"} <= {one["action"] for one in trail}


async def test_what_is_new_and_what_was_there_are_answered_as_documented(platform: Running) -> None:
    key = await platform.key("admin")
    rule = {"rule": {"fact": "orders.count", "op": "gte", "value": 3}, "name": "Regular"}
    documented = (await platform.client.get("/openapi.json")).json()["paths"]
    answers = documented["/v1/tag-rules/{tag}"]["put"]["responses"]
    for status in (201, 200):
        put = await platform.client.put("/v1/tag-rules/regular", headers=key, json=rule)
        assert put.status_code == status, put.text
        assert "application/json" in answers[str(status)]["content"]


async def test_a_campaign_goes_live_when_somebody_else_has_approved_it(
    fresh_database: str, fresh_redis: str
) -> None:
    author, other = "author", "other"
    async with a_platform(
        fresh_database, fresh_redis, ZHIYIN_CAMPAIGN_APPROVAL="separate"
    ) as platform:
        scopes = [f"campaigns:{what}" for what in ("read", "write", "approve")]
        keys = {name: await platform.key(*scopes) for name in (author, other)}

        async def ask(who: str, path: str, body: object = None) -> tuple[int, str | None]:
            url = f"/v1/campaigns{path}"
            answer = await platform.client.post(url, headers=keys[who], json=body or {})
            return answer.status_code, answer.json().get("code")

        assert await ask(author, "", A_CAMPAIGN) == (201, None)
        assert await ask(author, "/thanks/launch") == (409, "not_approved")
        assert await ask(author, "/thanks/approve") == (403, "own_campaign")
        assert await ask(other, "/thanks/approve") == (200, None)
        assert await ask(author, "/thanks/launch") == (200, None)
        shown = await platform.client.get("/v1/campaigns/thanks", headers=keys[author])
        who = {one["state"]: one["by"] for one in shown.json()["history"]}
        assert who["draft"] == who["live"] != who["approved"]


A_CAMPAIGN = {
    "key": "thanks",
    "name": "Thanks",
    "purpose": "transactional",
    "trigger": {"on": "event", "type": "purchase.completed"},
    "steps": [{"points": 10}],
}
