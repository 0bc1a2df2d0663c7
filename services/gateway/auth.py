"""Who is calling and whether they may: keys, scopes, rate limits."""

import base64
import binascii
import hmac
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from msgspec import Struct
from starlette.requests import Request

from services.gateway.domain.apikeys import digest, key_id
from services.gateway.domain.scopes import permits
from services.gateway.fresh import Fresh
from services.gateway.limits import ProfileLimits, RateLimits, rate_headers
from services.gateway.stores.keys import StoredKey
from zhiyin.contracts.instants import instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem

_LONGEST_HEADER: Final = 512
_TOO_MANY: Final = {"key": "with this key", "profile": "about this profile"}


class Caller(Struct, frozen=True):
    """Who was let in: a key. `brands` None: campaigns of all brands."""

    id: str
    name: str
    scopes: frozenset[str]
    brands: frozenset[str] | None = None

    @property
    def actor(self) -> str:
        """How the audit trail and the services know the caller."""
        return f"key:{self.id}"

    def may(self, scope: str) -> bool:
        return permits(self.scopes, scope)


class Keys(Protocol):
    async def find(self, key_id: str) -> StoredKey | None: ...


class Gatekeeper:
    """`used` is told the id of each key that was let in."""

    def __init__(
        self,
        keys: Keys,
        limits: RateLimits,
        profiles: ProfileLimits,
        clock: Clock,
        used: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = Fresh(keys.find, monotonic)
        self._limits = limits
        self._profiles = profiles
        self._clock = clock
        self._used = used

    async def admit(self, request: Request, *scopes: str) -> Caller:
        """The caller of a request, who needs one of `scopes`. Raises Problem: 401, 403 or 429;
        503 when keys cannot be checked."""
        text = _credential(request.headers.get("authorization", ""))
        wanted = key_id(text) if text else None
        key = await self._keys.get(wanted) if wanted else None
        if text is None or key is None or not self._valid(key, text):
            raise Problem(401, "unauthenticated", "send a valid key: Authorization: Bearer zk_…")
        await self._within_limits(request, key.id)
        if not any(permits(key.scopes, scope) for scope in scopes):
            needed = " or ".join(scopes)
            raise Problem(403, "forbidden", f"this key does not have the scope {needed}")
        self._used(key.id)
        return Caller(key.id, key.name, key.scopes, key.brands)

    async def _within_limits(self, request: Request, key: str) -> None:
        allowances = [await self._limits.take(key)]
        if about := _about(request.path_params):
            allowances.append(self._profiles.take(about))
        request.scope.setdefault("zhiyin.answer_headers", []).extend(rate_headers(allowances))
        for allowance in allowances:
            if not allowance.allowed:
                message = f"too many requests {_TOO_MANY[allowance.limit]}"
                raise Problem(429, "rate_limited", message, retry_after=allowance.reset)

    def _valid(self, key: StoredKey, text: str) -> bool:
        if key.revoked_at is not None or not hmac.compare_digest(key.digest, digest(text)):
            return False
        return key.expires_at is None or self._clock() < instant(key.expires_at)


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


def _about(parameters: Mapping[str, str]) -> str | None:
    """The person whom a path names, if it names one."""
    if (profile_id := parameters.get("profile_id")) is not None:
        return profile_id
    if (namespace := parameters.get("namespace")) is not None:
        return f"{namespace}:{parameters.get('value', '')}"
    return None
