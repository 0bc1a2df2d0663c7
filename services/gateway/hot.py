"""The hot copy of people in Redis: quick, possibly missing, never the last word."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.runtime.redis import RedisFailure

_MOVED: Final = b"@"
_FAILURES: Final = 3
_PAUSE_SECONDS: Final = 1.0
_MOST_OWNERS: Final = 50_000


class Hot(Struct, frozen=True):
    """What Redis holds under a profile id, as it stands there. None: not there. `moved_to`: merged
    into that profile."""

    profile_id: str
    packed: bytes | None = None
    packed_segments: bytes | None = None
    moved_to: str | None = None

    @property
    def snapshot(self) -> Snapshot | None:
        return _decoded(decode_snapshot, self.packed)

    @property
    def segments(self) -> tuple[str, ...] | None:
        return _decoded(_listed, self.packed_segments)


class _Segments(Struct, frozen=True):
    segments: tuple[str, ...]


T = TypeVar("T")
_Found = Sequence[bytes | None]
_Answer = asyncio.Future[_Found | None]
_segments: Final = msgspec.msgpack.Decoder(_Segments)


class Breaker:
    """Open after three failures in a row, for a second: a frozen Redis costs its time-out a few
    times and not on every read."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._failures = 0
        self._closed_from = 0.0

    @property
    def open(self) -> bool:
        return self._monotonic() < self._closed_from

    def worked(self) -> None:
        self._failures = 0

    def failed(self) -> None:
        self._failures += 1
        if self._failures >= _FAILURES:
            self._closed_from = self._monotonic() + _PAUSE_SECONDS


class HotCopy:
    """Reads only; whatever goes wrong with Redis reads as "not there". What is asked for in one
    turn of the event loop is fetched together: one round trip, one time-out."""

    def __init__(self, redis: Redis, breaker: Breaker) -> None:
        self._redis = redis
        self._breaker = breaker
        self._wanted: list[tuple[Sequence[str], _Answer]] = []
        self._fetching: set[asyncio.Task[None]] = set()
        self._owners: dict[str, str] = {}

    async def person(self, profile_id: str) -> Hot:
        found = await self._get([f"p:{profile_id}", f"s:{profile_id}"])
        return Hot(profile_id) if found is None else _hot(profile_id, found)

    async def owner(self, namespace: str, value: str) -> Hot | None:
        """The person an identifier (or its token) leads to; None where that is not known. Whoever
        it led to last is fetched with it, so that mostly one round trip is enough."""
        key = f"i:{namespace}:{value}"
        guess = self._owners.get(key)
        found = await self._get([key] if guess is None else [key, f"p:{guess}", f"s:{guess}"])
        if found is None or found[0] is None:
            return None
        owner = found[0].decode()
        if owner == guess:
            return _hot(owner, found[1:])
        if len(self._owners) >= _MOST_OWNERS:
            self._owners.clear()
        self._owners[key] = owner
        return await self.person(owner)

    async def _get(self, keys: Sequence[str]) -> _Found | None:
        if self._breaker.open:
            return None
        answer: _Answer = asyncio.get_running_loop().create_future()
        self._wanted.append((keys, answer))
        if len(self._wanted) == 1:
            task = asyncio.create_task(self._fetch())
            self._fetching.add(task)
            task.add_done_callback(self._fetching.discard)
        return await answer

    async def _fetch(self) -> None:
        wanted, self._wanted = self._wanted, []
        found: _Found | None = None
        try:
            found = await self._redis.mget([key for keys, _ in wanted for key in keys])
            self._breaker.worked()
        except RedisFailure:
            self._breaker.failed()
        finally:
            _hand_out(wanted, found)


def _hot(profile_id: str, found: _Found) -> Hot:
    person, segments = found
    if person == _MOVED:  # to nobody: erased a moment ago
        return Hot(profile_id)
    if person is not None and person.startswith(_MOVED):
        return Hot(profile_id, moved_to=person[1:].partition(b"/")[0].decode())
    return Hot(profile_id, person, segments)


def _hand_out(wanted: Sequence[tuple[Sequence[str], _Answer]], found: _Found | None) -> None:
    start = 0
    for keys, answer in wanted:
        if not answer.done():  # whoever asked may have hung up
            answer.set_result(None if found is None else found[start : start + len(keys)])
        start += len(keys)


def _listed(packed: bytes) -> tuple[str, ...]:
    return _segments.decode(packed).segments


def _decoded(decode: Callable[[bytes], T], packed: bytes | None) -> T | None:
    """None also for what another version of a service wrote and we cannot read."""
    if packed is None:
        return None
    try:
        return decode(packed)
    except msgspec.DecodeError:
        return None
