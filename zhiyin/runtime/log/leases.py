"""Leases: which member of a group reads which partition numbers, kept in PostgreSQL.

A member renews its leases every second or so; one that stays silent for `ttl` loses them. All of
it happens under one lock per group, so members agree without a leader.
"""

from collections.abc import Collection, Iterable
from typing import Any, NamedTuple

from zhiyin.runtime.db import Database
from zhiyin.runtime.log.notices import GROUPS_CHANNEL
from zhiyin.runtime.log.sharing import plan


class Held(NamedTuple):
    """What a member holds after a round (number → generation), and what it should hand over."""

    generations: dict[int, int]
    surplus: frozenset[int]


class Leases:
    """One member's view. `ttl` is in seconds."""

    def __init__(self, db: Database, group: str, member: str, partitions: int, ttl: float) -> None:
        self._db = db
        self._group = group
        self._member = member
        self._partitions = partitions
        self._ttl = ttl

    async def create(self) -> None:
        async with self._db.connection() as connection:
            await connection.execute(
                "INSERT INTO lease (grp, number) SELECT $1, generate_series(0, $2 - 1)"
                " ON CONFLICT DO NOTHING",
                self._group,
                self._partitions,
            )

    async def round(self) -> Held:
        """Say that we live, renew, and take what is free and our share."""
        async with self._db.transaction() as tx:
            await self._lock(tx)
            members = await self._live_members(tx)
            rows = await tx.fetch(
                "SELECT number, CASE WHEN expires_at > clock_timestamp() THEN owner END, owner,"
                " generation FROM lease WHERE grp = $1 AND number < $2",
                self._group,
                self._partitions,
            )
            # A lease of ours that ran out while nobody took it is still ours.
            owners = {
                number: running or (self._member if owner == self._member else None)
                for number, running, owner, _ in rows
            }
            move = plan(self._member, members, owners)
            mine = {row[0]: row[3] for row in rows if owners[row[0]] == self._member}
            await self._renew(tx, mine)
            taken = await self._take(tx, move.take)
        return Held(mine | taken, move.give)

    async def release(self, numbers: Iterable[int]) -> None:
        """Free these for others at once, and tell them."""
        async with self._db.transaction() as tx:
            await self._lock(tx)
            await tx.execute(
                "UPDATE lease SET owner = NULL, expires_at = '-infinity'"
                " WHERE grp = $1 AND owner = $2 AND number = ANY($3::int[])",
                self._group,
                self._member,
                list(numbers),
            )
            await tx.execute("SELECT pg_notify($1, $2)", GROUPS_CHANNEL, self._group)

    async def leave(self) -> None:
        async with self._db.transaction() as tx:
            await self._lock(tx)
            await tx.execute(
                "DELETE FROM member WHERE grp = $1 AND id = $2", self._group, self._member
            )
        await self.release(range(self._partitions))

    async def _lock(self, tx: Any) -> None:
        await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", self._group)

    async def _live_members(self, tx: Any) -> list[str]:
        joined = await tx.fetchval(
            "INSERT INTO member (grp, id, seen_at) VALUES ($1, $2, clock_timestamp())"
            " ON CONFLICT (grp, id) DO UPDATE SET seen_at = excluded.seen_at"
            " RETURNING xmax = 0",
            self._group,
            self._member,
        )
        if joined:
            await tx.execute("SELECT pg_notify($1, $2)", GROUPS_CHANNEL, self._group)
        await tx.execute(
            "DELETE FROM member WHERE grp = $1"
            " AND seen_at < clock_timestamp() - make_interval(secs => $2)",
            self._group,
            self._ttl,
        )
        rows = await tx.fetch("SELECT id FROM member WHERE grp = $1", self._group)
        return [row[0] for row in rows]

    async def _renew(self, tx: Any, numbers: Iterable[int]) -> None:
        await tx.execute(
            "UPDATE lease SET expires_at = clock_timestamp() + make_interval(secs => $2)"
            " WHERE grp = $1 AND number = ANY($3::int[])",
            self._group,
            self._ttl,
            list(numbers),
        )

    async def _take(self, tx: Any, numbers: Collection[int]) -> dict[int, int]:
        if not numbers:
            return {}
        rows = await tx.fetch(
            "UPDATE lease SET owner = $2, generation = generation + 1,"
            " expires_at = clock_timestamp() + make_interval(secs => $3)"
            " WHERE grp = $1 AND number = ANY($4::int[]) RETURNING number, generation",
            self._group,
            self._member,
            self._ttl,
            list(numbers),
        )
        return dict(tuple(row) for row in rows)
