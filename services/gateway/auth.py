"""Who is calling and whether they may: keys, scopes, rate limits."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable
from typing import Final, Protocol

from msgspec import Struct
from starlette.requests import Request

from services.gateway.domain.apikeys import digest, key_id
from services.gateway.domain.scopes import permits
from services.gateway.limits import RateLimits
from services.gateway.stores.keys import StoredKey
from zhiyin.contracts.instants import instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.outages import is_outage
from zhiyin.runtime.problems import Problem

# A revoked key stops working everywhere within this many seconds (the promise is 5).
_FRESH_SECONDS: Final = 2.0
# While PostgreSQL is away nobody can revoke a key either: those known go on for this long.
_STALE_SECONDS: Final = 60.0
_MOST_CACHED: Final = 10_000
_LONGEST_HEADER: Final = 512


class Caller(Struct, frozen=True):
    """A key that was let in."""

    key_id: str
    name: str
    scopes: frozenset[str]

    @property
    def actor(self) -> str:
        """How the audit trail and the services know the caller."""
        return f"key:{self.key_id}"

    def may(self, scope: str) -> bool:
        return permits(self.scopes, scope)


class Keys(Protocol):
    async def find(self, key_id: str) -> StoredKey | None: ...


class _Cached(Struct, frozen=True):
    key: StoredKey | None
    fetched_at: float


class Gatekeeper:
    def __init__(
        self,
        keys: Keys,
        limits: RateLimits,
        clock: Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = keys
        self._limits = limits
        self._clock = clock
        self._monotonic = monotonic
        self._cache: dict[str, _Cached] = {}

    async def admit(self, request: Request, *scopes: str) -> Caller:
        """The caller of a request, who needs one of `scopes`. Raises Problem: 401, 403 or 429;
        503 when keys cannot be checked."""
        text = _credential(request.headers.get("authorization", ""))
        wanted = key_id(text) if text else None
        key = await self._find(wanted) if wanted else None
        if text is None or key is None or not self._valid(key, text):
            raise Problem(401, "unauthenticated", "send a valid key: Authorization: Bearer zk_…")
        allowance = await self._limits.take(key.id)
        request.scope.setdefault("zhiyin.answer_headers", []).extend(allowance.headers())
        if not allowance.allowed:
            raise Problem(
                429, "rate_limited", "too many requests with this key", retry_after=allowance.reset
            )
        if not any(permits(key.scopes, scope) for scope in scopes):
            needed = " or ".join(scopes)
            raise Problem(403, "forbidden", f"this key does not have the scope {needed}")
        return Caller(key.id, key.name, key.scopes)

    def _valid(self, key: StoredKey, text: str) -> bool:
        if key.revoked_at is not None or not hmac.compare_digest(key.digest, digest(text)):
            return False
        return key.expires_at is None or self._clock() < instant(key.expires_at)

    async def _find(self, wanted: str) -> StoredKey | None:
        now = self._monotonic()
        cached = self._cache.get(wanted)
        if cached is not None and now - cached.fetched_at < _FRESH_SECONDS:
            return cached.key
        try:
            key = await self._keys.find(wanted)
        except Exception as error:
            if not is_outage(error):
                raise
            if cached is not None and now - cached.fetched_at < _STALE_SECONDS:
                return cached.key
            raise Problem(
                503, "unavailable", "keys cannot be checked at the moment", retry_after=2
            ) from error
        if len(self._cache) >= _MOST_CACHED:
            self._cache.clear()
        self._cache[wanted] = _Cached(key, now)
        return key


def _credential(header: str) -> str | None:
    """The key in an Authorization header: Bearer, or Basic with it as user name."""
    scheme, _, value = header.partition(" ")
    value = value.strip()
    if len(header) > _LONGEST_HEADER:
        return None
    if scheme.lower() == "bearer":
        return value
    if scheme.lower() != "basic":
        return None
    try:
        user, _, _ = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return user
