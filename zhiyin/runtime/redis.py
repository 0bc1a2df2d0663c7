"""The Redis (or Valkey) client: every wait is bounded, so that a frozen server only slows us."""

from typing import Final

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import RedisError

RedisFailure: Final = (RedisError, OSError, TimeoutError)
"""What a call may raise when Redis is away; catch this and go on without the cache."""


def connect(url: str, *, size: int = 32, timeout: float = 1.0) -> Redis:
    """A client whose answers are bytes. `timeout` (seconds) bounds connecting, each answer, and
    the wait for a free connection. Close it with `await client.aclose()`."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=size,
        timeout=timeout,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        health_check_interval=15,
        retry=Retry(ExponentialBackoff(cap=0.2, base=0.02), retries=1),
    )
    return Redis.from_pool(pool)
