"""Who is calling and whether they may: keys, sessions, scopes, rate limits."""

import hmac
import time
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol

from msgspec import Struct
from starlette.requests import Request

from services.gateway.credentials import ACCESS_COOKIE, CSRF_HEADER, authorization, cookie
from services.gateway.domain.apikeys import digest, key_id
from services.gateway.domain.scopes import OPERATOR_ROLES, permits
from services.gateway.domain.sessions import (
    AccessTokens,
    Lasting,
    Must,
    Session,
    goes_on,
    still_to_do,
)
from services.gateway.fresh import Fresh
from services.gateway.last_used import LastUsed
from services.gateway.limits import ProfileLimits, RateLimits, rate_headers
from services.gateway.stores.keys import StoredKey
from zhiyin.contracts.instants import instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem

_TOO_MANY: Final = {"key": "with this key", "profile": "about this profile"}
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKEN: Final = "zs_"
_MUST: Final = {
    "change_password": "change your password first: POST /v1/me/password",
    "enrol_totp": "set up one-time codes first: POST /v1/me/totp",
}


class Caller(Struct, frozen=True):
    """Who was let in. `name` is a key's own. `brands` None: campaigns of all brands; `must`: what
    an operator has to do before anything else, and until then has no scope."""

    id: str
    scopes: frozenset[str]
    brands: frozenset[str] | None = None
    kind: Literal["key", "operator"] = "key"
    role: str | None = None
    session_id: str | None = None
    must: tuple[Must, ...] = ()
    name: str = ""

    @property
    def actor(self) -> str:
        """How the audit trail and the services know the caller."""
        return f"{self.kind}:{self.id}"

    def may(self, scope: str) -> bool:
        return permits(self.scopes, scope)


class Keys(Protocol):
    async def find(self, key_id: str) -> StoredKey | None: ...


class Signed(Protocol):
    """What is known of those who have signed in."""

    tokens: AccessTokens
    lasting: Lasting
    totp_required: bool
    known: Fresh[Session]
    used: LastUsed


class Gatekeeper:
    """`key_used` is told the id of each key that was let in."""

    def __init__(
        self,
        keys: Keys,
        limits: RateLimits,
        profiles: ProfileLimits,
        clock: Clock,
        signed: Signed,
        key_used: Callable[[str], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys = Fresh(keys.find, monotonic)
        self._limits = limits
        self._profiles = profiles
        self._clock = clock
        self._signed = signed
        self._key_used = key_used

    async def admit(self, request: Request, *scopes: str) -> Caller:
        """The caller of a request, who needs one of `scopes`; without any, who is known at all.
        Raises Problem: 401, 403 or 429; 503 when keys cannot be checked."""
        header = request.headers.get("authorization")
        if header is None and "cookie" in request.headers:
            caller = await self._by_cookie(request)
        else:
            text = authorization(header or "") or ""
            caller = await (self._by_token(text) if text.startswith(_TOKEN) else self._by_key(text))
        if caller is None:
            raise Problem(401, "unauthenticated", "send a valid key: Authorization: Bearer zk_…")
        await self._within_limits(request, caller.id)
        if scopes and not any(permits(caller.scopes, scope) for scope in scopes):
            raise _forbidden(caller, scopes)
        return caller

    async def _by_key(self, text: str) -> Caller | None:
        wanted = key_id(text)
        key = await self._keys.get(wanted) if wanted else None
        if key is None or not self._valid(key, text):
            return None
        self._key_used(key.id)
        return Caller(key.id, key.scopes, key.brands, name=key.name)

    def _valid(self, key: StoredKey, text: str) -> bool:
        if key.revoked_at is not None or not hmac.compare_digest(key.digest, digest(text)):
            return False
        return key.expires_at is None or self._clock() < instant(key.expires_at)

    async def _by_token(self, text: str) -> Caller | None:
        now = self._clock()
        session_id = self._signed.tokens.session_of(text, now)
        session = await self._signed.known.get(session_id) if session_id else None
        if session is None:
            return None
        if not goes_on(session.seen_at, session.ends_at, self._signed.lasting, now):
            return None
        self._signed.used.mark(session.id)
        must = still_to_do(session, totp_required=self._signed.totp_required)
        scopes = frozenset[str]() if must else OPERATOR_ROLES.get(session.role, frozenset())
        return Caller(
            session.operator_id, scopes, session.brands, "operator", session.role, session.id, must
        )

    async def _by_cookie(self, request: Request) -> Caller | None:
        """Browsers send cookies along for any page: what changes something needs a token too."""
        caller = await self._by_token(cookie(request, ACCESS_COOKIE) or "")
        if caller is None or caller.session_id is None or request.method in _SAFE:
            return caller
        given = request.headers.get(CSRF_HEADER, "")
        wanted = self._signed.tokens.csrf(caller.session_id)
        if not hmac.compare_digest(given.encode(), wanted.encode()):
            raise Problem(403, "csrf_token_wrong", "send the csrf_token of /v1/me as X-CSRF-Token")
        return caller

    async def let_pass(self, request: Request) -> None:
        """Somebody without a key, at one of the doors that are open to all: by where they come
        from, as often as a key may. Raises Problem (429)."""
        host = request.client.host if request.client is not None else ""
        await self._within_limits(request, f"from:{host}")

    async def _within_limits(self, request: Request, key: str) -> None:
        allowances = [await self._limits.take(key)]
        if about := _about(request.path_params):
            allowances.append(self._profiles.take(about))
        request.scope.setdefault("zhiyin.answer_headers", []).extend(rate_headers(allowances))
        for allowance in allowances:
            if not allowance.allowed:
                message = f"too many requests {_TOO_MANY[allowance.limit]}"
                raise Problem(429, "rate_limited", message, retry_after=allowance.reset)


def _forbidden(caller: Caller, scopes: tuple[str, ...]) -> Problem:
    if caller.must:
        return Problem(403, f"must_{caller.must[0]}", _MUST[caller.must[0]])
    needed = " or ".join(scopes)
    who = "this key" if caller.kind == "key" else "your role"
    return Problem(403, "forbidden", f"{who} does not have the scope {needed}")


def _about(parameters: Mapping[str, str]) -> str | None:
    """The person whom a path names, if it names one."""
    if (profile_id := parameters.get("profile_id")) is not None:
        return profile_id
    if (namespace := parameters.get("namespace")) is not None:
        return f"{namespace}:{parameters.get('value', '')}"
    return None
