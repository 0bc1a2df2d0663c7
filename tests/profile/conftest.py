"""The profile service on real PostgreSQL and Valkey, batch by batch."""

from collections.abc import AsyncIterator

import pytest

from tests.profile.harness import Service, a_service


@pytest.fixture
async def service(fresh_database: str, fresh_redis: str) -> AsyncIterator[Service]:
    async with a_service(fresh_database, fresh_redis) as one:
        yield one
