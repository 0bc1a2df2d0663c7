"""Servers for the tests: one PostgreSQL and one Valkey per session and per xdist worker, and one
Apache Kafka broker when a test asks for it."""

import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import redis.asyncio
import structlog

from tests.databases import a_database
from zhiyin.embedded import java
from zhiyin.embedded.errors import EmbeddedError
from zhiyin.embedded.kafka import Kafka
from zhiyin.embedded.postgres import Postgres
from zhiyin.embedded.valkey import Valkey
from zhiyin.runtime.settings import ServiceSettings


def pytest_addoption(parser: pytest.Parser) -> None:
    help_text = "how many events the soak test takes in while everything dies in turn"
    parser.addoption("--events", type=int, default=5_000, help=help_text)


@pytest.fixture(scope="session")
def server_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def postgres_url(server_folder: Path) -> Iterator[str]:
    """The administrator's address of an empty PostgreSQL."""
    server = Postgres(server_folder / "postgres", server_folder / "postgres.log")
    server.start()
    yield server.dsn
    server.stop()


@pytest.fixture
async def fresh_database(postgres_url: str) -> AsyncIterator[str]:
    """The address of a new empty database, dropped afterwards."""
    async with a_database(postgres_url) as url:
        yield url


@pytest.fixture(scope="session")
def redis_url(server_folder: Path) -> Iterator[str]:
    server = Valkey(server_folder / "valkey", server_folder / "valkey.log")
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
async def fresh_redis(redis_url: str) -> str:
    """The address of a Valkey that has just been emptied."""
    client = redis.asyncio.from_url(redis_url)
    try:
        await client.flushall()
    finally:
        await client.aclose()
    return redis_url


@pytest.fixture
def settings(fresh_database: str, fresh_redis: str) -> ServiceSettings:
    """Of one process of a service, on its own database."""
    return ServiceSettings(
        postgres=fresh_database, redis=fresh_redis, secret_key="k" * 16, partitions=4, lanes=2
    )


@pytest.fixture
def logs_as_before() -> Iterator[None]:
    """For what runs a service's command in this process: it sets up logs as a process of its own
    would, on a standard error that is gone after the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def kafka_url(server_folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """A running Apache Kafka: the one of ZHIYIN_KAFKA, or a local broker."""
    if given := os.environ.get("ZHIYIN_KAFKA"):
        yield given
        return
    request.getfixturevalue("local_kafka")
    cluster = Kafka(server_folder / "kafka", server_folder, os.environ)
    cluster.start()
    yield cluster.url
    cluster.stop()


@pytest.fixture(scope="session")
def kafka_cluster(local_kafka: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kafka]:
    """Three local brokers that a test may stop, kill and start again."""
    folder = tmp_path_factory.mktemp("cluster")
    cluster = Kafka(folder / "kafka", folder, os.environ, brokers=3)
    cluster.start()
    yield cluster
    cluster.stop()


@pytest.fixture(scope="session")
def local_kafka() -> None:
    """Skips where Java or Maven Central is missing; fails there if Kafka is required."""
    try:
        java.java(os.environ)
        java.jars(os.environ)
    except EmbeddedError as error:
        if os.environ.get("REQUIRE_APACHE_KAFKA") == "1":
            pytest.fail(str(error))
        pytest.skip(str(error))
