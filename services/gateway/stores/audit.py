"""The audit trail: append-only, each row holding the hash of the one before."""

import asyncio
import hashlib
from collections.abc import Sequence

import asyncpg
import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database

_NO_HASH = b"\0" * 32
# Two gateways appending at once would fork the chain; this lock makes them take turns.
_LOCK = "SELECT pg_advisory_xact_lock(hashtext('gateway.audit'))"
_HEAD = "SELECT seq, hash FROM audit ORDER BY seq DESC LIMIT 1"
_APPEND = """
INSERT INTO audit (seq, at, actor, action, subject, detail, trace_id, prev_hash, hash)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[],
                     $7::text[], $8::bytea[], $9::bytea[])
"""
_PAGE = """
SELECT seq, at, actor, action, subject, detail, trace_id, prev_hash, hash FROM audit
WHERE seq < $1 AND ($2::text IS NULL OR actor = $2) AND ($3::text IS NULL OR subject = $3)
ORDER BY seq DESC LIMIT $4
"""


class Entry(Struct, frozen=True):
    """Who (`actor`) did what (`action`) to what (`subject`). `detail` says why or how."""

    actor: str
    action: str
    subject: str
    detail: dict[str, str] = {}
    trace_id: str = ""


class Audited(Struct, frozen=True):
    """An entry as it stands in the trail."""

    seq: int
    at: Instant
    entry: Entry
    prev_hash: bytes
    hash: bytes


def chained(seq: int, at: Instant, entry: Entry, prev_hash: bytes) -> Audited:
    """The next link: SHA-256 over the previous hash and everything the row says."""
    said = msgspec.json.encode([seq, at, entry], order="deterministic")
    return Audited(seq, at, entry, prev_hash, hashlib.sha256(prev_hash + said).digest())


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
        self, before: int, limit: int, actor: str | None = None, subject: str | None = None
    ) -> Sequence[Audited]:
        """Newest first, those with a `seq` below `before`."""
        async with self._db.connection() as connection:
            rows = await connection.fetch(_PAGE, before, actor, subject, limit)
        return [_audited(row) for row in rows]

    async def head(self) -> tuple[int, bytes]:
        """The newest link's number and hash; keep it elsewhere to prove that none was cut off."""
        async with self._db.connection() as connection:
            row = await connection.fetchrow(_HEAD)
        return (0, _NO_HASH) if row is None else (row["seq"], row["hash"])

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
            seq, previous = (0, _NO_HASH) if row is None else (row["seq"], row["hash"])
            now = self._clock()
            links = []
            for entry in entries:
                seq += 1
                link = chained(seq, now, entry, previous)
                links.append(_row(link))
                previous = link.hash
            await tx.execute(_APPEND, *map(list, zip(*links, strict=True)))


def _row(link: Audited) -> tuple[object, ...]:
    entry = link.entry
    detail = msgspec.json.encode(entry.detail, order="deterministic").decode()
    said = (entry.actor, entry.action, entry.subject, detail, entry.trace_id)
    return (link.seq, link.at, *said, link.prev_hash, link.hash)


def _audited(row: asyncpg.Record) -> Audited:
    detail = msgspec.json.decode(row["detail"], type=dict[str, str])
    entry = Entry(row["actor"], row["action"], row["subject"], detail, row["trace_id"])
    return Audited(row["seq"], row["at"], entry, row["prev_hash"], row["hash"])
