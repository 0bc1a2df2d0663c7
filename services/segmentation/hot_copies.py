"""The hot copy of a person's segments in Redis, `s:{profile_id}`: a cache, never the truth."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec
import structlog
from msgspec import Struct
from redis.asyncio import Redis

from services.segmentation import reads
from services.segmentation.domain.person import PersonCopy
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import OUTAGES
from zhiyin.runtime.redis import RedisFailure

_log = structlog.get_logger(__name__)
# Bounds how long a copy may be wrong if its writer died before it could write again.
_KEPT_SECONDS: Final = 3600
_AT_ONCE: Final = 500
_AGAIN_SECONDS: Final = 0.5
# A newer version is never overwritten by an older one.
_WRITE_NEWER: Final = """
for i, key in ipairs(KEYS) do
  local packed = redis.call('GET', key)
  local version = tonumber(ARGV[2 * i])
  if not packed or cmsgpack.unpack(packed).version < version then
    redis.call('SET', key, ARGV[2 * i + 1], 'EX', ARGV[1])
  end
end
"""


class HotCopy(Struct, frozen=True):
    """`version` counts the changes of the person's memberships."""

    version: int
    segments: list[str]


class HotCopies:
    """Writes copies after commit; what Redis did not take is read again and tried again."""

    def __init__(self, redis: Redis, database: Database) -> None:
        self._script = redis.register_script(_WRITE_NEWER)
        self._database = database
        self._missed: set[str] = set()

    async def write(self, people: Iterable[PersonCopy]) -> None:
        """Never raises for Redis being away."""
        copies = {one.profile_id: copy_of(one) for one in people}
        try:
            await self._write(copies)
        except RedisFailure as error:
            self._missed |= copies.keys()
            _log.warning("hot copies missed", people=len(copies), error=repr(error))

    async def recover(self, profile_ids: Iterable[str]) -> None:
        """Write again from PostgreSQL, for batches whose writer may have died."""
        self._missed |= set(profile_ids)
        await self._try_again()

    async def run(self) -> None:
        """Until cancelled: try again what was missed."""
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            await self._try_again()

    async def _try_again(self) -> None:
        """Never raises for Redis or PostgreSQL being away."""
        while self._missed:
            some = sorted(self._missed)[:_AT_ONCE]
            self._missed.difference_update(some)
            try:
                async with self._database.connection() as connection:
                    people = await reads.people(connection, some)
                await self._write({one.profile_id: copy_of(one) for one in people})
            except OUTAGES as error:
                self._missed.update(some)
                _log.warning("hot copies still missed", error=repr(error))
                return

    async def _write(self, copies: Mapping[str, HotCopy]) -> None:
        if not copies:
            return
        arguments: list[bytes | int] = [_KEPT_SECONDS]
        for copy in copies.values():
            arguments += [copy.version, msgspec.msgpack.encode(copy)]
        await self._script(keys=[f"s:{one}" for one in copies], args=arguments)


def copy_of(person: PersonCopy) -> HotCopy:
    return HotCopy(person.sequence, sorted(person.state.members))
