"""Hot copies in Redis: `p:{profile_id}` the snapshot (or `@`, the id merged into, `/`, version; or
`@` alone for a moment after somebody was erased), `i:{namespace}:{token}` the profile id. A cache,
never the truth."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final

import structlog
from msgspec import Struct
from redis.asyncio import Redis

from services.profile import reads, tombstones
from services.profile.domain.person_event import Identifier
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import OUTAGES
from zhiyin.runtime.redis import RedisFailure

_log = structlog.get_logger(__name__)
# Bounds how long a copy may be wrong if everything that could put it right was lost.
_KEPT_SECONDS: Final = 3600
# How long a mark keeps copies that are late from coming back after an erasure.
_MARKED_SECONDS: Final = 60
_ERASED: Final = b"@"
_AT_ONCE: Final = 200
_AGAIN_SECONDS: Final = 0.5
# A newer version is never overwritten by an older one; who was merged away comes back only at a
# version of their own. It stands right after a profile id of 36 characters: 1 + 11 + 38 + 8 bytes.
_WRITE_NEWER: Final = """
for i, key in ipairs(KEYS) do
  local head = redis.call('GETRANGE', key, 0, 66)
  local version = -1
  if string.sub(head, 1, 1) == '@' then
    version = tonumber(string.match(head, '/(%d+)$') or '') or math.huge
  elseif #head > 58 then
    local _, found = cmsgpack.unpack_one(string.sub(head, 59), 0)
    version = found
  end
  if version < tonumber(ARGV[2 * i]) then
    redis.call('SET', key, ARGV[2 * i + 1], 'EX', ARGV[1])
  end
end
"""

_WRITE: Final = """
for i, key in ipairs(KEYS) do redis.call('SET', key, ARGV[i + 1], 'EX', ARGV[1]) end
"""


class Copy(Struct, frozen=True):
    """What is to stand in Redis about one person. `packed`: the snapshot, or `moved_to`."""

    profile_id: str
    version: int
    packed: bytes
    identifiers: tuple[Identifier, ...] = ()

    @classmethod
    def moved(cls, profile_id: str, version: int, kept: str) -> "Copy":
        return cls(profile_id, version, f"@{kept}/{version}".encode())


class HotCopies:
    """Writes copies after commit; whom Redis did not take is written down and tried again."""

    def __init__(self, redis: Redis, database: Database) -> None:
        self._redis = redis
        self._script = redis.register_script(_WRITE_NEWER)
        self._identifiers = redis.register_script(_WRITE)
        self._database = database
        self._missed: set[str] = set()

    async def write(self, copies: Sequence[Copy]) -> None:
        """Never raises for Redis or PostgreSQL being away."""
        try:
            await self._write(copies)
        except RedisFailure as error:
            _log.warning("hot copies missed", people=len(copies), error=repr(error))
            self._missed |= {copy.profile_id for copy in copies}
            await self._remember()

    async def erase(
        self, erasure_id: str, profile_ids: Sequence[str], identifiers: Sequence[Identifier]
    ) -> bool:
        """Take erased people's copies away, and count them for the receipt; False if Redis or
        PostgreSQL is away."""
        try:
            gone = await self._delete([f"i:{name}:{token}" for name, token in identifiers])
            for profile_id in profile_ids:
                key = f"p:{profile_id}"
                held = await self._redis.set(key, _ERASED, ex=_MARKED_SECONDS, get=True)
                gone += held not in (None, _ERASED)
            async with self._database.connection() as connection:
                await tombstones.count_copies(connection, erasure_id, gone)
        except OUTAGES as error:
            _log.warning("hot copies not taken away yet", error=repr(error))
            return False
        return True

    async def _delete(self, keys: Sequence[str]) -> int:
        return int(await self._redis.delete(*keys)) if keys else 0

    async def recover(self, profile_ids: Iterable[str]) -> None:
        """Write again from PostgreSQL, for batches whose writer may have died."""
        self._missed |= set(profile_ids)
        await self._remember()

    async def run(self) -> None:
        """Until cancelled: try again what was missed."""
        while True:
            await asyncio.sleep(_AGAIN_SECONDS)
            await self._remember()
            try:
                while await self._retry():
                    pass
            except OUTAGES as error:
                _log.warning("hot copies still missed", error=repr(error))

    async def _remember(self) -> None:
        """In PostgreSQL they outlive this process, and any instance may see to them."""
        some = sorted(self._missed)
        if not some:
            return
        try:
            async with self._database.connection() as connection:
                await reads.remember_missed(connection, some)
            self._missed.difference_update(some)
        except OUTAGES as error:
            _log.warning("missed copies not written down", people=len(some), error=repr(error))

    async def _retry(self) -> bool:
        """One page; whether there may be more."""
        async with self._database.connection() as connection:
            if not await reads.any_missed(connection):
                return False
        async with self._database.transaction() as tx:
            missed = await reads.take_missed(tx, _AT_ONCE)
            if missed:
                await self._write(await copies_of(tx, missed))
        return len(missed) == _AT_ONCE

    async def _write(self, copies: Sequence[Copy]) -> None:
        for start in range(0, len(copies), _AT_ONCE):
            page = copies[start : start + _AT_ONCE]
            arguments: list[bytes | int] = [_KEPT_SECONDS]
            for copy in page:
                arguments += [copy.version, copy.packed]
            await self._script(keys=[f"p:{copy.profile_id}" for copy in page], args=arguments)
        await self._write_identifiers(copies)

    async def _write_identifiers(self, copies: Sequence[Copy]) -> None:
        """A stale one leads to somebody merged away, hence to the right person all the same."""
        known = {
            f"i:{namespace}:{token}": copy.profile_id
            for copy in copies
            for namespace, token in copy.identifiers
        }
        if known:
            await self._identifiers(keys=[*known], args=[_KEPT_SECONDS, *known.values()])


async def copies_of(connection: Connection, profile_ids: Sequence[str]) -> list[Copy]:
    """Copies of people as they are stored now, by ids that may be of people merged away."""
    identifiers = await reads.identifiers(connection, profile_ids)
    people = await reads.people(connection, profile_ids)
    kept = [
        Copy(one.profile_id, one.version, one.snapshot, tuple(identifiers.get(one.profile_id, ())))
        for one in people
    ]
    moved = await reads.aliases(connection, profile_ids)
    return kept + [Copy.moved(gone, version, into) for gone, version, into in moved]
