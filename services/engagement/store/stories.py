"""One person in one campaign: what was decided, how far they came, what they are watched for."""

from typing import Any

import msgspec
from msgspec import Struct

from services.engagement.domain.customer import Run
from services.engagement.store import runs
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode


class Told(Struct, frozen=True):
    """A decision; `run`: the journey it began."""

    occurrence: str
    version: int
    at: Instant
    entered: bool
    reason: str | None
    why: dict[str, Any]
    times: int
    goal_at: Instant | None
    run: Run | None = None


class Done(Struct, frozen=True):
    """What a step came to."""

    occurrence: str
    step: str
    kind: str
    state: str
    reason: str | None
    channel: str | None
    template: str | None
    at: Instant
    due_at: Instant | None
    sent_at: Instant | None
    action_id: str
    why: dict[str, Any]


class Watched(Struct, frozen=True):
    """A day, or the end of a supply, that a timer is set for."""

    what: str
    due: str
    at: Instant


async def decisions(tx: Connection, profile_id: str, campaign: str, limit: int) -> list[Told]:
    """Newest first."""
    rows = await tx.fetch(
        """SELECT occurrence, version, at, entered, reason, why, times, goal_at FROM decision
           WHERE profile_id = $1 AND campaign = $2 ORDER BY at DESC, occurrence LIMIT $3""",
        profile_id,
        campaign,
        limit,
    )
    begun = {run.occurrence: run for run in await runs.of_campaign(tx, profile_id, campaign)}
    return [
        Told(**{**row, "why": _unpack(row["why"])}, run=begun.get(row["occurrence"]))
        for row in rows
    ]


async def steps(tx: Connection, profile_id: str, campaign: str) -> list[Done]:
    """In the order in which they were decided."""
    rows = await tx.fetch(
        """SELECT occurrence, step, kind, state, reason, channel, template, at, due_at, sent_at,
             action_id::text AS action_id, why
           FROM action WHERE profile_id = $1 AND campaign = $2 ORDER BY at, step""",
        profile_id,
        campaign,
    )
    return [Done(**{**row, "why": _unpack(row["why"])}) for row in rows]


async def watched(
    tx: Connection, profile_id: str, campaign: str, now: Instant, limit: int
) -> list[Watched]:
    """What is still to come, soonest first."""
    rows = await tx.fetch(
        """SELECT name, day, fire_at FROM date_watch WHERE profile_id = $1 AND campaign = $2
           UNION ALL
           SELECT 'reorder:' || sku, to_char(to_timestamp(due_at / 1000000.0) AT TIME ZONE 'UTC',
               'YYYY-MM-DD"T"HH24:MI:SS"Z"'), fire_at FROM reorder_watch
             WHERE profile_id = $1 AND campaign = $2 AND fire_at > $3
           ORDER BY 3 LIMIT $4""",
        profile_id,
        campaign,
        now,
        limit,
    )
    return [Watched(*row) for row in rows]
