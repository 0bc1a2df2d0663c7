"""Trials on history: asked for, worked on by whoever holds the lease, kept with their outcome."""

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from services.engagement.domain.simulation.budgets import Budgets
from services.engagement.domain.simulation.tally import Tally
from zhiyin.contracts.campaigns import CampaignSpec
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_LEASE = "90 seconds"
_COLUMNS = """id, kind, subject, asked, state, created_at, created_by, finished_at, people, run,
  after, tally, budgets, error, tries"""


class Asked(Struct, frozen=True):
    """What is tried: a campaign as it was when asked for, or the rule of a segment."""

    since: Instant
    until: Instant
    campaign: CampaignSpec | None = None
    version: int = 0
    rule: Any = None
    alongside: bool = True


class Simulation(Struct, frozen=True):
    """`state`: queued, running, done, failed, cancelled; `tries`: how often it has been begun since
    it last got on."""

    id: uuid.UUID
    kind: str
    subject: str
    asked: Asked
    state: str
    created_at: Instant
    created_by: str
    finished_at: Instant | None
    people: int
    run: int
    after: str
    tally: Tally | None
    budgets: Budgets | None
    error: str | None
    tries: int


_json = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode
_asked = msgspec.json.Decoder(Asked).decode
_tally = msgspec.msgpack.Decoder(Tally).decode
_budgets = msgspec.msgpack.Decoder(Budgets).decode


async def ask(
    tx: Connection, kind: str, subject: str, asked: Asked, at: Instant, actor: str
) -> Simulation:
    row = await tx.fetchrow(
        f"""INSERT INTO simulation (id, kind, subject, asked, state, created_at, created_by)
            VALUES ($1, $2, $3, $4, 'queued', $5, $6) RETURNING {_COLUMNS}""",  # noqa: S608
        uuid.uuid4(),
        kind,
        subject,
        _json(asked),
        at,
        actor,
    )
    return _read(row)


async def waiting(connection: Connection) -> int:
    """How many are not finished."""
    found: int = await connection.fetchval(
        "SELECT count(*) FROM simulation WHERE state IN ('queued', 'running')"
    )
    return found


async def unattended(connection: Connection) -> bool:
    """Whether there is one that nobody works on."""
    found: bool = await connection.fetchval(
        """SELECT EXISTS (SELECT FROM simulation WHERE state IN ('queued', 'running')
             AND (lease_until IS NULL OR lease_until < clock_timestamp()))"""
    )
    return found


async def claim(tx: Connection) -> Simulation | None:
    """The oldest that nobody works on; from now on we do."""
    row = await tx.fetchrow(
        f"""UPDATE simulation SET state = 'running', tries = tries + 1,
              lease_until = clock_timestamp() + interval '{_LEASE}'
            WHERE id = (SELECT id FROM simulation WHERE state IN ('queued', 'running')
              AND (lease_until IS NULL OR lease_until < clock_timestamp())
              ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING {_COLUMNS}"""  # noqa: S608
    )
    return None if row is None else _read(row)


async def progress(
    tx: Connection,
    id_: uuid.UUID,
    people: int,
    run: int,
    after: str,
    tally: Tally,
    budgets: Budgets,
) -> bool:
    """False when it has been cancelled meanwhile."""
    answer: str = await tx.execute(
        f"""UPDATE simulation SET people = $2, run = $3, after = $4, tally = $5, budgets = $6,
              tries = 0, lease_until = clock_timestamp() + interval '{_LEASE}'
            WHERE id = $1 AND state = 'running'""",  # noqa: S608
        id_,
        people,
        run,
        after,
        _pack(tally),
        _pack(budgets),
    )
    return answer == "UPDATE 1"


async def finish(
    tx: Connection, id_: uuid.UUID, state: str, at: Instant, error: str | None = None
) -> None:
    await tx.execute(
        """UPDATE simulation SET state = $2, finished_at = $3, error = $4, lease_until = NULL
           WHERE id = $1 AND state IN ('queued', 'running')""",
        id_,
        state,
        at,
        error,
    )


async def find(connection: Connection, id_: uuid.UUID) -> Simulation | None:
    row = await connection.fetchrow(
        f"SELECT {_COLUMNS} FROM simulation WHERE id = $1",  # noqa: S608
        id_,
    )
    return None if row is None else _read(row)


async def newest(connection: Connection, subject: str | None, limit: int) -> list[Simulation]:
    rows: Sequence[Any] = await connection.fetch(
        f"""SELECT {_COLUMNS} FROM simulation WHERE $1::text IS NULL OR subject = $1
            ORDER BY created_at DESC, id LIMIT $2""",  # noqa: S608
        subject,
        limit,
    )
    return [_read(row) for row in rows]


def _read(row: Any) -> Simulation:
    known = dict(row)
    known["id"] = uuid.UUID(bytes=known["id"].bytes)
    known["asked"] = _asked(known["asked"])
    known["tally"] = None if known["tally"] is None else _tally(known["tally"])
    known["budgets"] = None if known["budgets"] is None else _budgets(known["budgets"])
    return Simulation(**known)
