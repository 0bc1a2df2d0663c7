"""One migrated database for all tests of the gateway; a gateway for each."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from services.gateway.main import MIGRATIONS, SERVICE
from services.gateway.settings import GatewaySettings
from tests.gateway.harness import Running, running, settings_for
from tests.gateway.staffed import MovableClock, nobody_locked_out
from zhiyin.runtime.migrate import migrate


@pytest.fixture(scope="session")
async def gateway_database(postgres_url: str) -> str:
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute("CREATE DATABASE gateway_tests")
    finally:
        await admin.close()
    url = urlunsplit(urlsplit(postgres_url)._replace(path="/gateway_tests"))
    await migrate(url, SERVICE, MIGRATIONS)
    return url


@pytest.fixture
def settings(gateway_database: str, redis_url: str) -> GatewaySettings:
    return settings_for(gateway_database, redis_url)


@pytest.fixture
async def gateway(settings: GatewaySettings, fresh_redis: str) -> AsyncIterator[Running]:
    async with running(settings) as one:
        yield one


@pytest.fixture
def clock() -> MovableClock:
    return MovableClock()


@pytest.fixture
async def staffed(
    settings: GatewaySettings, fresh_redis: str, clock: MovableClock
) -> AsyncIterator[Running]:
    """A gateway whose clock can be moved, with nobody locked out."""
    async with running(settings, clock=clock) as one:
        await nobody_locked_out(one)
        yield one
