"""PostgreSQL and Valkey as child processes."""

import asyncpg
import redis.asyncio


async def test_a_fresh_database_is_empty_and_durable(fresh_database: str) -> None:
    connection = await asyncpg.connect(fresh_database)
    try:
        tables = await connection.fetchval(
            "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        )
        assert tables == 0
        assert await connection.fetchval("SHOW fsync") == "on"
        assert (await connection.fetchval("SHOW server_version")).startswith("18")
    finally:
        await connection.close()


async def test_a_fresh_redis_is_empty_and_runs_scripts(fresh_redis: str) -> None:
    client = redis.asyncio.from_url(fresh_redis)
    try:
        assert await client.dbsize() == 0
        assert await client.eval("return redis.call('SET', KEYS[1], '1')", 1, "a") == b"OK"
    finally:
        await client.aclose()
