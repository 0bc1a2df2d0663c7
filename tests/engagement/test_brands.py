"""Callers bound to brands see and change the campaigns of those brands only."""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from services.gateway.routes.forwarded import FORWARDED
from tests.builders import a_purchase
from tests.engagement.calling import calling
from tests.engagement.harness import NOON, Instance, a_change, reachable

OURS = {"x-zhiyin-brands": "laomiao,tea"}
THEIRS = {"x-zhiyin-brands": "other"}


def a_campaign(key: str, brand: str | None) -> dict[str, Any]:
    return {
        "key": key,
        "name": key,
        "trigger": {"on": "event", "type": "purchase.completed"},
        "steps": [{"coupon": "greeting"}],
        "brand": brand,
    }


@pytest.fixture
async def api(instance: Instance) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(instance) as client:
        template = {"key": "greeting", "kind": "amount", "value": "5", "valid": "30d"}
        assert (await client.post("/v1/coupon-templates", json=template)).status_code == 201
        for key, brand in (("ours", "laomiao"), ("nobodys", None), ("theirs", "other")):
            made = await client.post("/v1/campaigns", json=a_campaign(key, brand))
            assert made.status_code == 201, made.text
        yield client


async def listed(api: httpx.AsyncClient, headers: dict[str, str]) -> set[str]:
    answer = await api.get("/v1/campaigns", headers=headers)
    return {each["key"] for each in answer.json()["items"]}


async def test_a_list_has_the_campaigns_of_ones_own_brands(api: httpx.AsyncClient) -> None:
    assert await listed(api, OURS) == {"ours"}
    assert await listed(api, THEIRS) == {"theirs"}
    assert {"ours", "theirs", "nobodys", "win-back-90d"} <= await listed(api, {})


async def test_every_call_about_another_brands_campaign_finds_none(
    api: httpx.AsyncClient,
) -> None:
    """Whatever calls the gateway has: those of tomorrow too."""
    about = [
        (call.method, re.sub(r"\{(?!key)\w+\}", "x", call.path))
        for call in FORWARDED
        if call.path.startswith("/v1/campaigns/{key}")
    ]
    assert len(about) >= 7
    for method, path in about:
        for key, brand in (("ours", "laomiao"), ("nobodys", None)):
            filled = path.replace("{key}", key)
            body = {"json": a_campaign(key, brand)} if method == "PUT" else {}
            answer = await api.request(method, filled, headers=THEIRS, **body)
            assert answer.status_code == 404, (method, filled, answer.text)
            assert "there is no campaign" in answer.text
            mine = await api.request(method, filled, **body)
            assert "there is no campaign" not in mine.text, (method, filled, mine.text)


async def test_a_campaign_is_made_for_ones_own_brand_or_not_at_all(
    api: httpx.AsyncClient,
) -> None:
    for brand in (None, "other"):
        refused = await api.post("/v1/campaigns", headers=OURS, json=a_campaign("new", brand))
        assert (refused.status_code, refused.json()["code"]) == (403, "brand_not_yours")
        assert refused.json()["errors"][0]["pointer"] == "/brand"
    made = await api.post("/v1/campaigns", headers=OURS, json=a_campaign("new", "tea"))
    assert (made.status_code, made.json()["brand"]) == (201, "tea")


async def test_a_campaign_is_not_handed_to_another_brand(api: httpx.AsyncClient) -> None:
    answer = await api.put("/v1/campaigns/ours", headers=OURS, json=a_campaign("ours", "other"))
    assert answer.status_code == 403
    answer = await api.put("/v1/campaigns/ours", headers=OURS, json=a_campaign("ours", "tea"))
    assert answer.status_code == 200, answer.text


async def test_what_other_brands_did_and_what_it_cost_is_not_shown(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    for key in ("ours", "theirs"):
        assert (await api.post(f"/v1/campaigns/{key}/launch")).status_code == 200
    await instance.end_built_in()
    await instance.deliver(a_change([a_purchase(NOON)], identifiers=reachable()))
    for path in ("/v1/profiles/p-1/actions", "/v1/coupon-costs"):
        seen = {}
        for name, headers in (("ours", OURS), ("theirs", THEIRS), ("all", {})):
            answer = await api.get(path, headers=headers)
            seen[name] = {each["campaign"] for each in answer.json()["items"]}
        assert seen == {"ours": {"ours"}, "theirs": {"theirs"}, "all": {"ours", "theirs"}}, path
