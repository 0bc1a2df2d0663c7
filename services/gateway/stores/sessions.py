"""Sessions as they are stored: of their tokens, hashes alone."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final, Literal

import asyncpg
from msgspec import Struct

from services.gateway.domain.sessions import SAME_REFRESH, Lasting, Refresh, Session, goes_on
from zhiyin.contracts.instants import DAY, Instant, instant
from zhiyin.runtime.db import Database

# For whoever looks into what happened lately.
_KEPT: Final = 30 * DAY
_ADD: Final = """
INSERT INTO session (id, operator_id, method, network, refresh, created_at, seen_at, ends_at)
VALUES ($1, $2, $3, $4, $5, $6, $6, $7)
"""
_FIND: Final = """
SELECT s.id, s.operator_id, o.role, o.brands, s.method, o.must_change,
  o.totp_at IS NOT NULL AS totp, s.seen_at, s.ends_at
FROM session s JOIN operator o ON o.id = s.operator_id
WHERE s.id = $1 AND s.ended_at IS NULL AND o.active
"""
_LOCK: Final = """
SELECT s.refresh, s.refreshed, s.refreshed_at, s.seen_at, s.ends_at, o.active
FROM session s JOIN operator o ON o.id = s.operator_id
WHERE s.id = $1 AND s.ended_at IS NULL FOR UPDATE OF s
"""
_REFRESH: Final = """
UPDATE session SET refreshed = refresh, refresh = $2, refreshed_at = $3, seen_at = $3 WHERE id = $1
"""
_END: Final = "UPDATE session SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL RETURNING id"
_END_ALL: Final = """
UPDATE session SET ended_at = $2
WHERE operator_id = $1 AND ended_at IS NULL AND id IS DISTINCT FROM $3 RETURNING id
"""
_SEEN: Final = """
WITH seen AS (SELECT id FROM session WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE)
UPDATE session s SET seen_at = greatest(seen_at, $2) FROM seen WHERE s.id = seen.id
"""
_PAGE: Final = """
SELECT id, operator_id, method, network, created_at, seen_at, ends_at FROM session
WHERE operator_id = $1 AND ended_at IS NULL AND ends_at > $2 AND seen_at > $3 AND id > $4
ORDER BY id LIMIT $5
"""
_FORGET: Final = "DELETE FROM session WHERE ends_at < $1"


class Listed(Struct, frozen=True):
    """An open session as its operator sees it."""

    id: str
    operator_id: str
    method: str
    network: str
    created_at: Instant
    seen_at: Instant
    ends_at: Instant


class SessionStore:
    def __init__(self, db: Database, lasting: Lasting) -> None:
        self._db = db
        self._lasting = lasting

    async def add(
        self, refresh: Refresh, operator_id: str, method: str, network: str, now: Instant
    ) -> None:
        ends_at = now + self._lasting.session
        row = (refresh.session_id, operator_id, method, network, refresh.digest, now, ends_at)
        async with self._db.connection() as connection:
            await connection.execute(_ADD, *row)

    async def find(self, session_id: str) -> Session | None:
        """With what its operator is now; None once it, or they, were put to an end."""
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_FIND, session_id)
        if row is None:
            return None
        brands = None if row["brands"] is None else frozenset(row["brands"])
        return Session(**{**row, "brands": brands})

    async def refresh(
        self, given: Refresh, new: Refresh, now: Instant
    ) -> Literal["refreshed", "over", "again", "stolen"]:
        """Put `new` in the place of the token given. `again`: it was used a moment ago, likely by
        another tab; `stolen`: longer ago, so that two have it, and the session is put to an end."""
        async with self._db.transaction() as tx:
            row = await tx.fetchrow(_LOCK, given.session_id)
            if row is None or not row["active"]:
                return "over"
            if not goes_on(row["seen_at"], row["ends_at"], self._lasting, now):
                return "over"
            if row["refresh"] == given.digest:
                await tx.execute(_REFRESH, given.session_id, new.digest, now)
                return "refreshed"
            if row["refreshed"] == given.digest and now - row["refreshed_at"] < SAME_REFRESH:
                return "again"
            await tx.execute(_END, given.session_id, now)
            return "stolen"

    async def end(self, session_id: str, now: Instant) -> bool:
        """False if it was over."""
        async with self._db.connection() as connection:
            return await connection.fetchval(_END, session_id, now) is not None

    async def end_all(
        self, operator_id: str, now: Instant, but: str | None = None
    ) -> Sequence[str]:
        """All of an operator's, save one perhaps; which they were."""
        async with self._db.connection() as connection:
            rows: list[asyncpg.Record] = await connection.fetch(_END_ALL, operator_id, now, but)
        return [row["id"] for row in rows]

    async def seen(self, session_ids: Collection[str], at: datetime) -> None:
        """These were used lately."""
        async with self._db.connection() as connection:
            await connection.execute(_SEEN, list(session_ids), instant(at))

    async def open_of(
        self, operator_id: str, now: Instant, after: str, limit: int
    ) -> Sequence[Listed]:
        idle_since = now - self._lasting.idle
        async with self._db.connection() as connection:
            rows = await connection.fetch(_PAGE, operator_id, now, idle_since, after, limit)
        return [Listed(*row) for row in rows]

    async def owner(self, session_id: str) -> str | None:
        """Whose it is, open or not."""
        query = "SELECT operator_id FROM session WHERE id = $1"
        async with self._db.connection() as connection:
            found: str | None = await connection.fetchval(query, session_id)
        return found

    async def forget_old(self, now: Instant) -> None:
        async with self._db.connection() as connection:
            await connection.execute(_FORGET, now - _KEPT)
