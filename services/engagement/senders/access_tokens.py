"""Access tokens of WeChat and WeCom: one for all instances, fetched by one of them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from services.engagement.sealing import Sealer
from services.engagement.senders.parcel import Failed, Retry
from services.engagement.store import provider_tokens as stored
from zhiyin.contracts.instants import MINUTE, SECOND, Duration, Instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

# Renewed this long before it ends; WeChat keeps the old one valid for five minutes beside it.
_EARLY: Final[Duration] = 5 * MINUTE
_LEASE: Final[Duration] = 15 * SECOND
_POLLS: Final = 40
_POLL_SECONDS: Final = 0.25

Fetched = tuple[str, Duration]  # the token, how long it holds
Fetch = Callable[[bool], Awaitable[Fetched | Failed | Retry]]


class AccessTokens:
    """Kept sealed. `key` names an account at a provider, whatever channels use it."""

    def __init__(self, db: Database, sealer: Sealer, clock: Clock) -> None:
        self._db = db
        self._sealer = sealer
        self._clock = clock
        self._held: dict[str, tuple[str, Instant]] = {}

    async def current(
        self, key: str, fetch: Fetch, stale: str | None = None
    ) -> str | Failed | Retry:
        """The token. `stale`: one the provider has just refused; `fetch(force)` asks for another,
        by force then."""
        for _ in range(_POLLS):
            if (token := await self._known(key, stale)) is not None:
                return token
            async with self._db.transaction() as tx:
                ours = await stored.lease(tx, key, _LEASE)
            if ours:
                return await self._fetched(key, fetch, stale)
            await asyncio.sleep(_POLL_SECONDS)
        return Retry("another instance is fetching the access token")

    async def _known(self, key: str, stale: str | None) -> str | None:
        now = self._clock()
        token, until = self._held.get(key, ("", 0))
        if token != stale and now < until:
            return token
        async with self._db.transaction() as tx:
            found = await stored.find(tx, key)
        if found is None:
            return None
        token = self._sealer.open(found.token, key).decode()
        if token == stale or now >= found.expires_at - _EARLY:
            return None
        self._held[key] = (token, found.expires_at - _EARLY)
        return token

    async def _fetched(self, key: str, fetch: Fetch, stale: str | None) -> str | Failed | Retry:
        """The lease is ours. Somebody may have had it, and done it, since we looked."""
        if (known := await self._known(key, stale)) is not None:
            async with self._db.transaction() as tx:
                await stored.release(tx, key)
            return known
        found = await fetch(stale is not None)
        async with self._db.transaction() as tx:
            if not isinstance(found, tuple):
                await stored.release(tx, key)
                return found
            token, lasts = found
            until = self._clock() + lasts
            await stored.save(tx, key, self._sealer.seal(token.encode(), key), until)
        self._held[key] = (token, until - _EARLY)
        return token
