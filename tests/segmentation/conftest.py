"""Instances of segmentation on a fresh database."""

from collections.abc import AsyncIterator

import pytest

from tests.segmentation.harness import Instance, an_instance, migrated


@pytest.fixture
async def instance(fresh_database: str, fresh_redis: str) -> AsyncIterator[Instance]:
    async with an_instance(await migrated(fresh_database), fresh_redis) as one:
        yield one


@pytest.fixture
async def two_instances(
    fresh_database: str, fresh_redis: str
) -> AsyncIterator[tuple[Instance, Instance]]:
    postgres = await migrated(fresh_database)
    async with an_instance(postgres, fresh_redis) as one, an_instance(postgres, fresh_redis) as two:
        yield one, two
