"""The vault's master key is changed while everything goes on."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from services.gateway.domain.door import Secret
from services.gateway.keyring import Keyring
from services.gateway.main import MIGRATIONS, SERVICE
from services.gateway.rotation import Rotation
from services.gateway.sealing import Broken, Sealed, Sealer, place_of
from services.gateway.settings import GatewaySettings
from tests.databases import a_database
from tests.gateway.harness import SECRET, Running, running, settings_for
from zhiyin.contracts.instants import MINUTE
from zhiyin.runtime.clock import wall_clock
from zhiyin.runtime.env import SettingsError
from zhiyin.runtime.migrate import migrate

LATER = {2: "another secret, long enough"}


@pytest.fixture(scope="module")
async def old(postgres_url: str, redis_url: str) -> AsyncIterator[GatewaySettings]:
    """Settings of gateways that do not have the new key; on a database of their own, since what
    is in force holds for all of it."""
    async with a_database(postgres_url) as url:
        await migrate(url, SERVICE, MIGRATIONS)
        yield settings_for(url, redis_url)


async def kept(gateway: Running, email: str) -> str:
    token = str(gateway.gateway.door.token("email", email))
    await gateway.gateway.vault.keep([Secret("email", token, email)])
    return token


async def test_a_rotation_interrupts_nobody(old: GatewaySettings, fresh_redis: str) -> None:
    service = msgspec.structs.replace(old.service, instance="gateway-new")
    new = msgspec.structs.replace(old, master_keys=LATER, service=service)
    async with running(old) as first:
        tokens = [await kept(first, f"one-{n}@example.com") for n in range(30)]
        async with running(new) as second:
            await first.gateway.presence.sign()
            admin = await second.key("admin")
            early = await rotate(second, admin, 2)
            assert early == (409, "not_everywhere")
            assert await rotate(first, admin, 2) == (422, "unknown_version")
        await first.gateway.presence._redis.flushall()  # the old one has gone
    async with running(new) as one, running(new) as other:
        admin = await one.key("admin")
        answer = await one.client.post("/v1/master-key/rotate", headers=admin, json={"version": 2})
        assert answer.status_code == 202, answer.text
        assert answer.json()["values"] == {"1": 30}
        assert await rotate(one, admin, 2) == (409, "not_newer")
        tokens.append(await kept(one, "under-two@example.com"))
        tokens.append(await kept(other, "still-under-one@example.com"))
        reading = asyncio.create_task(read_all(other, tokens))
        await one.gateway.rotation.advance()
        assert await reading == 32
        await other.gateway.rotation.advance()
        later = Rotation(one.gateway.master_keys, one.gateway.sealer, lambda: wall_clock() + MINUTE)
        await later.advance()
        shown = (await one.client.get("/v1/master-key", headers=admin)).json()
        assert (shown["version"], shown["values"]) == (2, {"2": 32})
        assert shown["rewrapped_at"] is not None
        assert await read_all(one, tokens) == 32
        row = await one.gateway.database.pool.fetchrow("SELECT * FROM vault LIMIT 1")
        with pytest.raises(Broken):
            Sealer(Keyring(SECRET, {}).masters).open(
                Sealed(row["master"], row["wrapped"], row["sealed"]),
                place_of(row["namespace"], row["token"]),
            )
    async with running(old) as left_behind:
        with pytest.raises(SettingsError, match="lacks version 2"):
            await left_behind.gateway.rotation.begin()
        assert await read_all(left_behind, tokens) == 0


async def rotate(gateway: Running, headers: dict[str, str], version: int) -> tuple[int, str]:
    answer = await gateway.client.post(
        "/v1/master-key/rotate", headers=headers, json={"version": version}
    )
    return answer.status_code, answer.json()["code"]


async def read_all(gateway: Running, tokens: list[str]) -> int:
    return len(await gateway.gateway.vault.reveal("email", tokens))


@pytest.mark.parametrize(
    "text",
    ["2", "two:a long enough secret", "1:a long enough secret", "2:short",
     "2:a long enough secret,2:another long secret"],
)  # fmt: skip
def test_master_keys_that_cannot_be_are_refused_without_showing_them(text: str) -> None:
    environ = {
        "ZHIYIN_POSTGRES": "postgres://h:1",
        "ZHIYIN_REDIS": "redis://h:1",
        "ZHIYIN_SECRET_KEY": "x" * 16,
        "ZHIYIN_MASTER_KEYS": text,
    }  # fmt: skip
    with pytest.raises(SettingsError, match="ZHIYIN_MASTER_KEYS") as refused:
        GatewaySettings.from_env(environ)
    assert "long enough" not in str(refused.value)
