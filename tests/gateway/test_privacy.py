"""A person's rights, on the true services: erasure with its receipt, export, correction."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import pytest

from tests.databases import a_database
from tests.gateway.harness import Running
from tests.gateway.posted import a_purchase
from tests.gateway.true_services import a_platform


@pytest.fixture(scope="module")
async def platform(postgres_url: str, redis_url: str) -> AsyncIterator[Running]:
    async with a_database(postgres_url) as database, a_platform(database, redis_url) as gateway:
        yield gateway


async def ask(platform: Running, method: str, path: str, body: Any = None) -> httpx.Response:
    key = await platform.key("admin", "profiles:read_pii")
    return await platform.client.request(method, path, headers=key, json=body)


async def known(platform: Running, customer: dict[str, str], *events: dict[str, Any]) -> str:
    """The profile id of somebody of whom these events (or a purchase) are known."""
    posted = await ask(
        platform, "POST", "/v1/events", {"events": list(events) or [a_purchase(customer=customer)]}
    )
    assert posted.status_code == 202, posted.text
    namespace, value = next(iter(customer.items()))
    path = f"/v1/profiles/by/{namespace}/{value}?after={posted.json()['receipt']}"
    profile_id: str = (await ask(platform, "GET", path)).json()["profile_id"]
    return profile_id


async def completed(platform: Running, erasure_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            answer = await ask(platform, "GET", f"/v1/erasures/{erasure_id}")
            receipt: dict[str, Any] = answer.json()
            if receipt["status"] == "completed":
                return receipt
            await asyncio.sleep(0.1)


async def test_erasure_reaches_every_store_and_nothing_brings_the_person_back(
    platform: Running,
) -> None:
    who = {"member_id": "M-gone", "phone": "13811112222", "email": "gone@example.com"}
    profile_id = await known(platform, who)
    key = await platform.key("admin")
    began = await ask(platform, "DELETE", f"/v1/profiles/{profile_id}?reason=asked+for")
    assert began.status_code == 202, began.text
    erasure_id = began.json()["erasure_id"]
    assert began.headers["location"] == f"/v1/erasures/{erasure_id}"
    for _ in range(20):  # racing it
        await platform.client.post("/v1/events", headers=key, json=a_purchase(customer=who))
    receipt = await completed(platform, erasure_id)
    counts = {each["store"]: each["erased"] for each in receipt["stores"]}
    assert counts["gateway.vault"] == 2
    assert counts["profile.profile"] == 1
    assert counts["profile.identity"] == 3
    assert counts["profile.event"] >= 1
    assert counts["redis.profile"] >= 1
    assert {"segmentation.membership", "engagement.action", "log"} <= counts.keys()
    assert receipt["reason"] == "asked for"
    for namespace, value in who.items():
        read = await ask(platform, "GET", f"/v1/profiles/by/{namespace}/{value}")
        assert (read.status_code, read.json()["code"]) == (404, "unknown_profile")
    assert (await ask(platform, "GET", f"/v1/profiles/{profile_id}")).status_code == 404
    assert await rows_about(platform, profile_id, "M-gone") == {
        "gateway.erasure": 1,
        "gateway.audit": 2,
        "segmentation.person": 1,
        "engagement.person": 1,
        "segmentation.erasure": 1,
        "engagement.erasure": 1,
    }
    assert await platform.gateway.database.pool.fetchval("SELECT count(*) FROM vault") == 0
    again = await ask(platform, "DELETE", f"/v1/profiles/{profile_id}")
    assert (again.status_code, again.json()["code"]) == (409, "already_erased")
    assert again.json()["erasure_id"] == erasure_id


async def rows_about(platform: Running, *words: str) -> dict[str, int]:
    """How many rows of which table (the log apart, which holds tokens for its retention) have one
    of these words in them."""
    found = {}
    connection = await asyncpg.connect(platform.gateway.settings.service.postgres)
    try:
        tables = await connection.fetch(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname = ANY($1)",
            ["gateway", "profile", "segmentation", "engagement"],
        )
        for schema, table in tables:
            count = await connection.fetchval(
                f'SELECT count(*) FROM {schema}."{table}" t'
                " WHERE EXISTS (SELECT FROM unnest($1::text[]) w"
                " WHERE position(w IN t::text) > 0"
                " OR position(encode(w::bytea, 'hex') IN t::text) > 0)",
                list(words),
            )
            if count:
                found[f"{schema}.{table}"] = count
    finally:
        await connection.close()
    return found


async def test_who_comes_back_later_is_somebody_new_whose_phone_is_kept(platform: Running) -> None:
    who = {"member_id": "M-back", "phone": "13822223333"}
    first = await known(platform, who)
    began = await ask(platform, "DELETE", f"/v1/profiles/{first}")
    await completed(platform, began.json()["erasure_id"])
    second = await known(platform, who)
    assert second != first
    shown = (await ask(platform, "GET", f"/v1/profiles/{second}")).json()
    assert shown["identifiers"]["phone"] == ["+8613822223333"]
    assert shown["orders"]["count"] == 1


async def test_nobody_can_be_erased_who_is_not_there(platform: Running) -> None:
    for profile_id in ("nobody", "01975d3e-6a0c-7c55-8f5e-3f7f6a2f9d10", "a%20b"):
        answer = await ask(platform, "DELETE", f"/v1/profiles/{profile_id}")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_profile")
    unknown = await ask(platform, "GET", "/v1/erasures/none")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "unknown_erasure")
    reader = await platform.key("profiles:read")
    refused = await platform.client.delete("/v1/profiles/nobody", headers=reader)
    assert refused.status_code == 403
