"""One platform for the tests of this folder."""

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.whole.collector import Collector, a_collector
from tests.whole.platform import Platform, a_platform


@pytest.fixture(scope="package")
async def database(postgres_url: str) -> str:
    """The address of a database of its own."""
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute("CREATE DATABASE whole")
    finally:
        await admin.close()
    return urlunsplit(urlsplit(postgres_url)._replace(path="/whole"))


@pytest.fixture(scope="package")
async def collector() -> AsyncIterator[Collector]:
    async with a_collector() as one:
        yield one


@pytest.fixture(scope="package")
async def platform(
    database: str, redis_url: str, collector: Collector, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Platform]:
    logs: Path = tmp_path_factory.mktemp("whole")
    traces = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{collector.port}",
        "OTEL_BSP_SCHEDULE_DELAY": "100",  # ms
        "ZHIYIN_TRACE_RATIO": "0",  # only what comes with a sampled trace
    }
    async with a_platform(database, redis_url, logs, **traces) as one:
        await one.until_live()
        yield one
