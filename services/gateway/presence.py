"""Which gateways are up: they share a port and cannot be asked one by one, so each tells Redis."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final, cast

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from services.gateway.domain.health import Told
from zhiyin.contracts.instants import SECOND, Instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.redis import RedisFailure

_KEY: Final = "gateways"
_EVERY_SECONDS: Final = 3.0
_GONE_AFTER: Final = 15 * SECOND


class _Sign(Struct, frozen=True):
    at: Instant
    told: Told


class Presence:
    """`tell` gives what this process says of itself."""

    def __init__(self, redis: Redis, tell: Callable[[], Told], clock: Clock) -> None:
        self._redis: Any = redis
        self._tell = tell
        self._clock = clock

    async def run(self) -> None:
        """Give a sign of life every few seconds, until cancelled."""
        while True:
            with suppress(*RedisFailure):  # the next sign will do
                await self.sign()
            await asyncio.sleep(_EVERY_SECONDS)

    async def sign(self) -> None:
        """Raises `RedisFailure`."""
        sign = _Sign(self._clock(), self._tell())
        await self._redis.hset(_KEY, _name(sign.told), msgspec.json.encode(sign))

    async def all(self) -> list[Told]:
        """This gateway, and those that have given a sign of late."""
        mine = self._tell()
        others = [
            sign.told
            for sign in await self._signs()
            if _name(sign.told) != _name(mine) and self._clock() - sign.at < _GONE_AFTER
        ]
        return [mine, *others]

    async def _signs(self) -> list[_Sign]:
        try:
            held = cast(dict[bytes, bytes], await self._redis.hgetall(_KEY))
            signs = {name: msgspec.json.decode(sign, type=_Sign) for name, sign in held.items()}
            old = [name for name, sign in signs.items() if self._clock() - sign.at > _GONE_AFTER]
            if old:
                await self._redis.hdel(_KEY, *old)
        except (*RedisFailure, msgspec.DecodeError):
            return []
        return list(signs.values())


def _name(told: Told) -> str:
    return f"{told.instance}/{told.pid}"
