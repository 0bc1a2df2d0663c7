"""The hot copy of people in Redis: quick, possibly missing, never the last word."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct
from redis.asyncio import Redis

from zhiyin.contracts.profiles import Snapshot, decode_snapshot
from zhiyin.runtime.redis import RedisFailure

_MOVED: Final = b"@"
_FAILURES: Final = 3
_PAUSE_SECONDS: Final = 1.0


class Hot(Struct, frozen=True):
    """What Redis holds of a person. None: not there. `moved_to`: merged into that profile."""

    snapshot: Snapshot | None = None
    segments: tuple[str, ...] | None = None
    moved_to: str | None = None


class _Segments(Struct, frozen=True):
    segments: tuple[str, ...]


_NOTHING: Final = Hot()
_Answer = asyncio.Future[Sequence[bytes | None] | None]
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

    async def person(self, profile_id: str) -> Hot:
        found = await self._get([f"p:{profile_id}", f"s:{profile_id}"])
        if found is None:
            return _NOTHING
        person, segments = found
        if person == _MOVED:  # to nobody: erased a moment ago
            return _NOTHING
        if person is not None and person.startswith(_MOVED):
            return Hot(moved_to=person[1:].partition(b"/")[0].decode())
        return Hot(_decoded(decode_snapshot, person), _decoded(_listed, segments))

    async def owner(self, namespace: str, value: str) -> str | None:
        """The profile id an identifier (or its token) leads to."""
        found = await self._get([f"i:{namespace}:{value}"])
        return found[0].decode() if found and found[0] is not None else None

    async def _get(self, keys: Sequence[str]) -> Sequence[bytes | None] | None:
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
        found: Sequence[bytes | None] | None = None
        try:
            found = await self._redis.mget([key for keys, _ in wanted for key in keys])
            self._breaker.worked()
        except RedisFailure:
            self._breaker.failed()
        finally:
            _hand_out(wanted, found)


def _hand_out(
    wanted: Sequence[tuple[Sequence[str], _Answer]], found: Sequence[bytes | None] | None
) -> None:
    start = 0
    for keys, answer in wanted:
        if not answer.done():  # whoever asked may have hung up
            answer.set_result(None if found is None else found[start : start + len(keys)])
        start += len(keys)


def _listed(packed: bytes) -> tuple[str, ...]:
    return _segments.decode(packed).segments


def _decoded(decode: Callable[[bytes], Any], packed: bytes | None) -> Any:
    """None also for what another version of a service wrote and we cannot read."""
    if packed is None:
        return None
    try:
        return decode(packed)
    except msgspec.DecodeError:
        return None
