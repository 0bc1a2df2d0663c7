"""Instances of engagement, each test on its own copy of a database that is set up once."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import httpx
import pytest

from tests.engagement.calling import calling
from tests.engagement.harness import Instance, an_instance, migrated

_numbers = itertools.count(1)
_TEMPLATE = "engagement_template"


@pytest.fixture(scope="session")
async def template_database(postgres_url: str) -> str:
    """The name of a database with the service's tables and what is built in."""
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f'CREATE DATABASE "{_TEMPLATE}"')
    finally:
        await admin.close()
    await migrated(_address(postgres_url, _TEMPLATE))
    return _TEMPLATE


@pytest.fixture
async def database(postgres_url: str, template_database: str) -> AsyncIterator[str]:
    async with _copy(postgres_url, template_database) as address:
        yield address


@pytest.fixture(scope="module")
async def module_database(postgres_url: str, template_database: str) -> AsyncIterator[str]:
    async with _copy(postgres_url, template_database) as address:
        yield address


@asynccontextmanager
async def _copy(postgres_url: str, template: str) -> AsyncIterator[str]:
    name = f"engagement{next(_numbers)}"
    admin = await asyncpg.connect(postgres_url)
    try:
        await admin.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        yield _address(postgres_url, name)
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    finally:
        await admin.close()


@pytest.fixture
async def instance(database: str) -> AsyncIterator[Instance]:
    async with an_instance(database) as one:
        yield one


@pytest.fixture
async def two_instances(database: str) -> AsyncIterator[tuple[Instance, Instance]]:
    async with an_instance(database) as one, an_instance(database) as two:
        yield one, two


@pytest.fixture
async def api(instance: Instance) -> AsyncIterator[httpx.AsyncClient]:
    async with calling(instance) as client:
        yield client


def _address(postgres_url: str, database: str) -> str:
    return urlunsplit(urlsplit(postgres_url)._replace(path=f"/{database}"))
