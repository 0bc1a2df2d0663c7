"""A bench to try workers on."""

from collections.abc import AsyncIterator

import pytest

from tests.runtime.counting import Bench, make_bench


@pytest.fixture
async def bench(fresh_database: str) -> AsyncIterator[Bench]:
    bench = await make_bench(fresh_database)
    yield bench
    await bench.log.stop()
    await bench.db.close()
