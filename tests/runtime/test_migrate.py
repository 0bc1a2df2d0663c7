"""Schemas and roles come up by themselves, however many processes start at once."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from zhiyin.runtime.db import Database
from zhiyin.runtime.migrate import migrate

MIGRATIONS = Path(__file__).parent / "migrations"


async def test_several_processes_may_migrate_at_once(fresh_database: str) -> None:
    await asyncio.gather(*(migrate(fresh_database, "counting", MIGRATIONS) for _ in range(4)))
    database = Database(fresh_database, "counting", "zhiyin_counting")
    await database.open()
    try:
        async with database.transaction() as tx:
            await tx.execute("INSERT INTO thing VALUES ('x', 1)")
        assert await database.pool.fetchval("SELECT count FROM thing") == 1
        assert await database.pool.fetchval("SELECT current_user") == "zhiyin_counting"
    finally:
        await database.close()


async def test_a_service_cannot_read_the_schema_of_another(fresh_database: str) -> None:
    await migrate(fresh_database, "counting", MIGRATIONS)
    await migrate(fresh_database, "other", MIGRATIONS)
    database = Database(fresh_database, "other", "zhiyin_other")
    await database.open()
    try:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await database.pool.fetch("SELECT * FROM counting.thing")
    finally:
        await database.close()
