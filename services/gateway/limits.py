"""Rate limits. Per key a token bucket in Redis, drawn in small leases, local without Redis; per
profile a bucket in the process."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from msgspec import Struct
from redis.asyncio import Redis

from zhiyin.runtime.redis import RedisFailure

_LEASE_SECONDS: Final = 0.02
_LEASE_AGE: Final = 1.0
_BURST_SECONDS: Final = 2
_AWAY_SECONDS: Final = 1.0
_MOST_CACHED: Final = 10_000

# Redis' own clock, so that instances whose clocks differ share one bucket.
_TAKE: Final = """
local rate, burst, wanted = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local time = redis.call('TIME')
local now = time[1] + time[2] / 1e6
local held = redis.call('HMGET', KEYS[1], 't', 'n')
local tokens = tonumber(held[2]) or burst
tokens = math.min(burst, tokens + (now - (tonumber(held[1]) or now)) * rate)
local granted = math.min(math.floor(tokens), wanted)
redis.call('HSET', KEYS[1], 't', string.format('%.6f', now), 'n', tokens - granted)
redis.call('EXPIRE', KEYS[1], 60)
return {granted, math.floor(tokens - granted)}
"""


class Allowance(Struct, frozen=True):
    """What a limit says to a request: `remaining` of `burst` requests are left; `reset`: seconds
    until there are more."""

    limit: str
    allowed: bool
    burst: int
    remaining: int
    reset: int = 1


def rate_headers(allowances: Sequence[Allowance]) -> list[tuple[bytes, bytes]]:
    """As the IETF draft on RateLimit header fields has them."""
    policies = [f'"{each.limit}";q={each.burst};w={_BURST_SECONDS}' for each in allowances]
    states = [f'"{each.limit}";r={each.remaining};t={each.reset}' for each in allowances]
    return [
        (b"ratelimit-policy", ", ".join(policies).encode()),
        (b"ratelimit", ", ".join(states).encode()),
    ]


class _Lease:
    """Tokens drawn from the shared bucket and not yet used by this process. `last`: the bucket
    did not have as many as were wanted."""

    __slots__ = ("drawn_at", "last", "remaining", "tokens")

    def __init__(self, tokens: int, remaining: int, drawn_at: float, *, last: bool) -> None:
        self.tokens = tokens
        self.remaining = remaining
        self.drawn_at = drawn_at
        self.last = last


class RateLimits:
    """`rate` requests per second and key, and twice that at once. With Redis away every process
    allows that much by itself: a limit that is too generous, but still one."""

    def __init__(
        self, redis: Redis, rate: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._take: Any = redis.register_script(_TAKE)
        self._rate = rate
        self._burst = rate * _BURST_SECONDS
        self._size = max(1, math.floor(rate * _LEASE_SECONDS))
        self._monotonic = monotonic
        self._leases: dict[str, _Lease] = {}
        self._local: dict[str, _Lease] = {}
        self._drawing: dict[str, asyncio.Task[_Lease]] = {}
        self._waiting: Counter[str] = Counter()
        self._away_until = 0.0

    async def take(self, key_id: str) -> Allowance:
        lease = self._leases.get(key_id)
        if lease is None or lease.tokens <= 0 or self._monotonic() - lease.drawn_at > _LEASE_AGE:
            lease = await self._renewed(key_id)
        while lease.tokens <= 0 and not lease.last:  # others who waited for it have used it up
            lease = await self._renewed(key_id)
        allowed = lease.tokens > 0
        if allowed:
            lease.tokens -= 1
        return Allowance("key", allowed, self._burst, lease.remaining + lease.tokens)

    async def _renewed(self, key_id: str) -> _Lease:
        """One draw for all who ask while it is under way: each drawing for itself would waste
        all but one lease, and be limited to a fraction of the rate."""
        self._waiting[key_id] += 1
        drawing = self._drawing.get(key_id)
        if drawing is None:
            drawing = self._drawing[key_id] = asyncio.create_task(self._draw(key_id))
        return await asyncio.shield(drawing)

    async def _draw(self, key_id: str) -> _Lease:
        try:
            lease = await self._drawn(key_id, max(self._size, self._waiting.pop(key_id)))
            _remember(self._leases, key_id, lease)
            return lease
        finally:
            del self._drawing[key_id]  # before anybody can find it done and wait for it again

    async def _drawn(self, key_id: str, wanted: int) -> _Lease:
        now = self._monotonic()
        if now < self._away_until:
            return self._draw_locally(key_id, wanted, now)
        try:
            granted, remaining = await self._take(
                keys=[f"limit:{key_id}"], args=[self._rate, self._burst, wanted]
            )
        except RedisFailure:
            self._away_until = self._monotonic() + _AWAY_SECONDS
            return self._draw_locally(key_id, wanted, now)
        return _Lease(int(granted), int(remaining), now, last=int(granted) < wanted)

    def _draw_locally(self, key_id: str, wanted: int, now: float) -> _Lease:
        bucket = self._local.get(key_id)
        if bucket is None:
            bucket = _Lease(self._burst, 0, now, last=False)
            _remember(self._local, key_id, bucket)
        more = math.floor((now - bucket.drawn_at) * self._rate)
        if more > 0:
            bucket.tokens = min(self._burst, bucket.tokens + more)
            bucket.drawn_at = now
        granted = min(bucket.tokens, wanted)
        bucket.tokens -= granted
        return _Lease(granted, bucket.tokens, now, last=granted < wanted)


class ProfileLimits:
    """`rate` requests per second about one profile, and twice that at once, in this process: what
    one person needs is far below it, and a loop gone wild is stopped without asking Redis."""

    def __init__(self, rate: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._burst = rate * _BURST_SECONDS
        self._monotonic = monotonic
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, profile: str) -> Allowance:
        now = self._monotonic()
        tokens, at = self._buckets.get(profile) or (float(self._burst), now)
        tokens = min(self._burst, tokens + (now - at) * self._rate)
        allowed = tokens >= 1
        if len(self._buckets) >= _MOST_CACHED:
            self._buckets.clear()
        self._buckets[profile] = (tokens - allowed, now)
        return Allowance("profile", allowed, self._burst, int(tokens - allowed))


def _remember(leases: dict[str, _Lease], key_id: str, lease: _Lease) -> None:
    if len(leases) >= _MOST_CACHED:
        leases.clear()
    leases[key_id] = lease
