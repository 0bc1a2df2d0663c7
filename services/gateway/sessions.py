"""Opening, refreshing and ending sessions."""

import secrets
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from services.gateway.domain.sessions import (
    ID_BYTES,
    SECRET_BYTES,
    AccessTokens,
    Lasting,
    Must,
    new_refresh,
    read_refresh,
    still_to_do,
)
from services.gateway.stores.sessions import SessionStore
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.problems import Problem

_OVER: Final = "the session is over: sign in again"


class Opened(Struct, frozen=True):
    """A session's tokens; each is good until its own end, and none longer than the session."""

    session_id: str
    access_token: str
    expires_at: Instant
    refresh_token: str
    ends_at: Instant
    csrf_token: str
    must: tuple[Must, ...]


class Sessions:
    """`forget` is told of sessions that were ended here, so that they are over here at once."""

    def __init__(
        self,
        store: SessionStore,
        tokens: AccessTokens,
        lasting: Lasting,
        clock: Clock,
        forget: Callable[[str], None],
        *,
        totp_required: bool,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._lasting = lasting
        self._clock = clock
        self._forget = forget
        self._totp_required = totp_required

    async def open(self, operator_id: str, method: str, network: str) -> Opened:
        now = self._clock()
        session_id = secrets.token_hex(ID_BYTES)
        refresh = new_refresh(session_id, secrets.token_bytes(SECRET_BYTES))
        await self._store.add(refresh, operator_id, method, network, now)
        return await self._opened(session_id, refresh.text, now)

    async def refresh(self, text: str) -> Opened:
        """Raises Problem: 401 when it is over, 409 when it was refreshed a moment ago."""
        now = self._clock()
        given = read_refresh(text)
        if given is None:
            raise Problem(401, "session_over", _OVER)
        new = new_refresh(given.session_id, secrets.token_bytes(SECRET_BYTES))
        outcome = await self._store.refresh(given, new, now)
        if outcome == "again":
            raise Problem(409, "refreshed_already", "this token was used a moment ago")
        self._forget(given.session_id)
        if outcome != "refreshed":
            raise Problem(401, "session_over", _OVER)
        return await self._opened(given.session_id, new.text, now)

    async def end(self, session_id: str) -> bool:
        """False if it was over."""
        ended = await self._store.end(session_id, self._clock())
        self._forget(session_id)
        return ended

    async def end_all(self, operator_id: str, but: str | None = None) -> None:
        """All of an operator's, save one perhaps."""
        for session_id in await self._store.end_all(operator_id, self._clock(), but):
            self._forget(session_id)

    def changed(self, session_id: str) -> None:
        """Look its operator up again."""
        self._forget(session_id)

    async def _opened(self, session_id: str, refresh: str, now: Instant) -> Opened:
        session = await self._store.find(session_id)
        if session is None:  # the operator was deactivated this moment
            raise Problem(401, "session_over", _OVER)
        ends_at = min(now + self._lasting.access, session.ends_at)
        return Opened(
            session_id,
            self._tokens.made(session_id, ends_at),
            ends_at,
            refresh,
            session.ends_at,
            self._tokens.csrf(session_id),
            still_to_do(session, totp_required=self._totp_required),
        )
