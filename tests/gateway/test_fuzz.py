"""Whatever is asked as whomever: no 500, no answer that the document does not describe, and nothing
for who has not the scope. `ZHIYIN_FUZZ_EXAMPLES=50` looks longer (`make fuzz`)."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn

from services.gateway.domain.scopes import OPERATOR_ROLES
from tests.gateway.fuzzing import EVERYTHING, Fuzz
from tests.gateway.harness import Running
from tests.gateway.posted import a_purchase
from tests.gateway.true_services import a_free_port, a_platform

EXAMPLES = int(os.environ.get("ZHIYIN_FUZZ_EXAMPLES", "1"))


@pytest.fixture
async def platform(fresh_database: str, fresh_redis: str) -> AsyncIterator[Running]:
    async with a_platform(fresh_database, fresh_redis) as gateway:
        yield gateway


@asynccontextmanager
async def served(gateway: Running) -> AsyncIterator[str]:
    """The gateway's address, as true clients reach it."""
    app = gateway.client._transport.app  # type: ignore[attr-defined]
    port = a_free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server._serve())
    try:
        while not server.started:
            await asyncio.sleep(0.01)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


@pytest.mark.timeout(900 if EXAMPLES == 1 else 4 * 3600)
async def test_schemathesis_finds_nothing_as_any_role(platform: Running) -> None:
    roles = {
        role: (set(held), await platform.operator(role)) for role, held in OPERATOR_ROLES.items()
    }
    everything = {"admin", "profiles:read_pii"}
    roles[EVERYTHING] = (everything, await platform.key(*everything))
    roles["nobody"] = (set(), {})
    key = roles[EVERYTHING][1]
    posted = await platform.client.post("/v1/events", headers=key, json=a_purchase("M-fuzz"))
    receipt = posted.json()["receipt"]
    await platform.client.get(f"/v1/profiles/by/member_id/M-fuzz?after={receipt}", headers=key)
    document = (await platform.client.get("/openapi.json")).json()
    async with served(platform) as address:
        fuzz = Fuzz(document, address, roles)
        operations = list(fuzz.operations())
        assert len(operations) > 100
        for operation in operations:
            await asyncio.to_thread(fuzz.run, operation, EXAMPLES)
    print(f"asked {fuzz.asked} times")
    assert not fuzz.failures, "\n".join(f"{what}\n    {how}" for what, how in fuzz.failures.items())


async def test_an_answer_that_is_not_described_and_a_bypass_are_found(gateway: Running) -> None:
    """That the test above would see them."""
    document = (await gateway.client.get("/openapi.json")).json()
    roles, me = document["paths"]["/v1/roles"]["get"], document["paths"]["/v1/me"]["get"]
    roles["responses"]["200"]["content"]["application/json"]["schema"] = {"type": "string"}
    me["x-scopes"] = ["admin"]  # as if it took that, and let others in all the same
    document["paths"] = {"/v1/roles": {"get": roles}, "/v1/me": {"get": me}}
    asking = {
        "viewer": (set(OPERATOR_ROLES["viewer"]), await gateway.operator("viewer")),
        EVERYTHING: ({"admin"}, await gateway.key("admin")),
    }
    async with served(gateway) as address:
        fuzz = Fuzz(document, address, asking)
        for operation in list(fuzz.operations()):
            await asyncio.to_thread(fuzz.run, operation, 1)
    found = " ".join(fuzz.failures)
    assert "GET /v1/roles as everything: Response violates schema" in found
    assert "GET /v1/me as viewer: answered 200 without the scope" in found
