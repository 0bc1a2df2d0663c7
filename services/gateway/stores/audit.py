"""The audit trail: append-only, each row holding the hash of the one before."""

import asyncio
from collections.abc import Sequence
from typing import Final

import asyncpg
import msgspec
from msgspec import Struct

from services.gateway.domain.chain import START, Audited, Entry, Link, chained
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

__all__ = ["AuditTrail", "Entry", "Sought"]

# Two gateways appending at once would fork the chain; this lock makes them take turns.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('gateway.audit'))"
_HEAD = "SELECT seq, hash FROM gateway_audit.audit ORDER BY seq DESC LIMIT 1"
_APPEND = """
INSERT INTO gateway_audit.audit
  (seq, at, actor, action, subject, detail, trace_id, prev_hash, hash)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::text[], $8::bytea[], $9::bytea[])
"""
_SELECT = """
SELECT seq, at, actor, action, subject, detail, trace_id, prev_hash, hash
FROM gateway_audit.audit
"""
_AFTER = f"{_SELECT} WHERE seq > $1 ORDER BY seq LIMIT $2"
_CONDITIONS: Final = {
    "actor": "actor =",
    "subject": "subject =",
    "action": "action =",
    "since": "at >=",
    "until": "at <",
}


class Sought(Struct, frozen=True, omit_defaults=True):
    """Which entries are looked for; None: all."""

    actor: str | None = None
    subject: str | None = None
    action: str | None = None
    since: Instant | None = None
    until: Instant | None = None


class AuditTrail:
    """Entries that come while others are being written are written together."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._waiting: list[tuple[Sequence[Entry], asyncio.Future[None]]] = []
        self._writing = asyncio.Lock()

    async def record(self, entry: Entry) -> None:
        """Returns when the entry is committed; raises what the database raises."""
        await self.record_all([entry])

    async def record_all(self, entries: Sequence[Entry]) -> None:
        """The same for several: all of them or none."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entries, done))
        async with self._writing:
            if not done.done():
                await self._write_waiting()
        await done

    async def page(
        self, before: int, limit: int, sought: Sought | None = None
    ) -> Sequence[Audited]:
        """Newest first, those with a `seq` below `before`."""
        query, values = _page_query(sought or Sought())
        async with self._db.connection() as connection:
            rows = await connection.fetch(query, before, limit, *values)
        return [_audited(row) for row in rows]

    async def following(self, seq: int, limit: int) -> Sequence[Audited]:
        """Oldest first, those behind `seq`."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(_AFTER, seq, limit)
        return [_audited(row) for row in rows]

    async def head(self) -> Link:
        """The newest link; keep it elsewhere to prove that none was cut off."""
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_HEAD)
        return START if row is None else Link(*row)

    async def _write_waiting(self) -> None:
        batch, self._waiting = self._waiting, []
        try:
            await self._append([entry for entries, _ in batch for entry in entries])
        except BaseException as error:
            for _, done in batch:
                if not done.done():
                    done.set_exception(error)
                    done.exception()  # seen: those that still wait raise it themselves
            raise
        for _, done in batch:
            if not done.done():
                done.set_result(None)

    async def _append(self, entries: Sequence[Entry]) -> None:
        async with self._db.transaction() as tx:
            await tx.execute(_LOCK)
            row = await tx.fetchrow(_HEAD)
            place = START if row is None else Link(*row)
            now = self._clock()
            rows = []
            for entry in entries:
                link = chained(place.seq + 1, now, entry, place.hash)
                rows.append(_row(link))
                place = Link(link.seq, link.hash)
            await tx.execute(_APPEND, *map(list, zip(*rows, strict=True)))


def _page_query(sought: Sought) -> tuple[str, Sequence[object]]:
    """Only what is asked for stands in it, so that the index of just that is used."""
    asked = {name: value for name, value in msgspec.structs.asdict(sought).items() if value}
    conditions = [f"{_CONDITIONS[name]} ${number}" for number, name in enumerate(asked, 3)]
    where = " AND ".join(["seq < $1", *conditions])
    return f"{_SELECT} WHERE {where} ORDER BY seq DESC LIMIT $2", list(asked.values())


def _row(link: Audited) -> tuple[object, ...]:
    entry = link.entry
    detail = msgspec.json.encode(entry.detail, order="deterministic").decode()
    said = (entry.actor, entry.action, entry.subject, detail, entry.trace_id)
    return (link.seq, link.at, *said, link.prev_hash, link.hash)


def _audited(row: asyncpg.Record) -> Audited:
    try:
        detail = msgspec.json.decode(row["detail"], type=dict[str, str])
    except msgspec.DecodeError:  # somebody changed it: shown as it is, and its hash says so
        detail = {"unreadable": row["detail"]}
    entry = Entry(row["actor"], row["action"], row["subject"], detail, row["trace_id"])
    return Audited(row["seq"], row["at"], entry, row["prev_hash"], row["hash"])
