"""Servers for the tests: one PostgreSQL and one Valkey per session and per xdist worker, and one
Apache Kafka broker when a test asks for it."""

import itertools
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import redis.asyncio

from zhiyin.embedded.postgres import Postgres
from zhiyin.embedded.valkey import Valkey

numbers = itertools.count(1)


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
    name = f"t{next(numbers)}"
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}"')
        yield urlunsplit(urlsplit(postgres_url)._replace(path=f"/{name}"))
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


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
