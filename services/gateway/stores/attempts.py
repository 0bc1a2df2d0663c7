"""Attempts to sign in, by account and by network: kept in PostgreSQL, so that all gateways know."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import astuple

from services.gateway.domain.lockout import FORGOTTEN, Attempts, another
from zhiyin.contracts.instants import Duration, Instant
from zhiyin.runtime.db import Database

# Made and locked in one go, in order: between two statements a row may be cleared away.
_LOCK = """
INSERT INTO sign_in_attempt (place, failures, last_at, locked_until)
SELECT place, 0, 0, 0 FROM unnest($1::bytea[]) AS place ORDER BY place
ON CONFLICT (place) DO UPDATE SET place = EXCLUDED.place
RETURNING place, failures, last_at, locked_until
"""
_COUNT = """
UPDATE sign_in_attempt a SET failures = n.failures, last_at = n.last_at, locked_until = n.until
FROM unnest($1::bytea[], $2::int[], $3::bigint[], $4::bigint[])
  AS n (place, failures, last_at, until)
WHERE a.place = n.place
"""
_CLEAR: Final = "DELETE FROM sign_in_attempt WHERE place = $1"
_TAKE_BACK: Final = """
UPDATE sign_in_attempt SET failures = greatest(failures - 1, 0), locked_until = 0 WHERE place = $1
"""
_FORGET: Final = "DELETE FROM sign_in_attempt WHERE last_at < $1"


class AttemptStore:
    def __init__(self, db: Database) -> None:
        self._db = db

    async def begin(self, free: Mapping[bytes, int], now: Instant) -> Duration:
        """Counts an attempt, under each place with so many free failures; how long to wait first
        if one of them is locked, and then none is counted."""
        places = sorted(free)
        async with self._db.transaction() as tx:
            rows = await tx.fetch(_LOCK, places)
            before = {place: Attempts(*rest) for place, *rest in rows}
            wait = max(each.wait(now) for each in before.values())
            if wait:
                return wait
            after = {place: another(before[place], free[place], now) for place in places}
            rows = [(place, *astuple(attempts)) for place, attempts in after.items()]
            await tx.execute(_COUNT, *map(list, zip(*rows, strict=True)))
        return 0

    async def succeeded(self, account: bytes, network: bytes) -> None:
        """The account is free again; of the network only this attempt is taken back, or whoever
        has an account of their own could go on guessing for ever."""
        async with self._db.transaction() as tx:
            for place in sorted((account, network)):
                await tx.execute(_CLEAR if place == account else _TAKE_BACK, place)

    async def undecided(self, account: bytes, network: bytes) -> None:
        """Right so far, but something is missing: it was no guess."""
        async with self._db.transaction() as tx:
            for place in sorted((account, network)):
                await tx.execute(_TAKE_BACK, place)

    async def forget_old(self, now: Instant) -> None:
        async with self._db.connection() as connection:
            await connection.execute(_FORGET, now - FORGOTTEN)
