"""The queue of what is still to be delivered, and how each delivery ended."""

import uuid
from collections.abc import Collection
from typing import Any

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Duration, Instant
from zhiyin.runtime.batch import Connection

_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode
_pack = msgspec.msgpack.Encoder().encode


class Claimed(Struct, frozen=True):
    """A delivery that is ours until its lease runs out. `attempts` counts this one; a later claim
    has a higher one, and then this one's outcome no longer counts. `age`: since it was decided."""

    action_id: uuid.UUID
    profile_id: str
    channel: str
    attempts: int
    age: Duration
    traceparent: str
    campaign: str
    step: str
    kind: str
    purpose: str
    data: dict[str, Any]


async def waiting(tx: Connection, owned: Collection[int]) -> list[str]:
    """The channels that have something due on these partitions."""
    rows = await tx.fetch(
        """SELECT DISTINCT channel FROM delivery
           WHERE partition = ANY($1::int[]) AND next_at <= clock_timestamp()""",
        list(owned),
    )
    return [row[0] for row in rows]


async def claim(
    tx: Connection, channel: str, owned: Collection[int], limit: int, lease: Duration
) -> list[Claimed]:
    """Take up to `limit` that are due; nobody else gets them until the lease is over."""
    rows = await tx.fetch(
        """WITH due AS (
             SELECT action_id FROM delivery
             WHERE channel = $1 AND partition = ANY($2::int[]) AND next_at <= clock_timestamp()
             ORDER BY next_at LIMIT $3 FOR UPDATE SKIP LOCKED),
           taken AS (
             UPDATE delivery SET attempts = attempts + 1,
               next_at = clock_timestamp() + $4 * interval '1 microsecond'
             FROM due WHERE delivery.action_id = due.action_id
             RETURNING delivery.*)
           SELECT t.action_id, t.profile_id, t.channel, t.attempts,
             (extract(epoch FROM clock_timestamp() - t.created_at) * 1000000)::bigint AS age,
             t.traceparent, a.campaign, a.step, a.kind, a.purpose, a.data
           FROM taken t JOIN action a USING (action_id)""",
        channel,
        list(owned),
        limit,
        lease,
    )
    return [
        Claimed(
            action_id=uuid.UUID(bytes=row["action_id"].bytes),
            profile_id=row["profile_id"],
            channel=row["channel"],
            attempts=row["attempts"],
            age=row["age"],
            traceparent=row["traceparent"],
            campaign=row["campaign"],
            step=row["step"],
            kind=row["kind"],
            purpose=row["purpose"],
            data=_unpack(row["data"]),
        )
        for row in rows
    ]


async def settle(
    tx: Connection,
    claimed: Claimed,
    state: str,
    reason: str | None,
    at: Instant,
) -> bool:
    """End a delivery: sent, failed or skipped. False if somebody else has claimed it since."""
    gone = await tx.fetchval(
        "DELETE FROM delivery WHERE action_id = $1 AND attempts = $2 RETURNING action_id",
        claimed.action_id,
        claimed.attempts,
    )
    if gone is None:
        return False
    await tx.execute(
        """UPDATE action SET state = $2, reason = $3, updated_at = $4,
             sent_at = CASE WHEN $2 = 'sent' THEN $4::bigint END
           WHERE action_id = $1""",
        claimed.action_id,
        state,
        reason,
        at,
    )
    return True


async def settle_sent(
    tx: Connection, sent: Collection[tuple[Claimed, str | None]], at: Instant
) -> None:
    """The same for many that were sent, each with how the provider calls it in its reports."""
    if sent:
        await tx.execute(
            """WITH gone AS (
                 DELETE FROM delivery
                 USING unnest($1::uuid[], $2::int[], $3::text[]) AS s(id, attempts, reference)
                 WHERE delivery.action_id = s.id AND delivery.attempts = s.attempts
                 RETURNING action_id, reference)
               UPDATE action SET state = 'sent', reason = NULL, updated_at = $4, sent_at = $4,
                 reference = gone.reference
               FROM gone WHERE action.action_id = gone.action_id""",
            [each.action_id for each, _ in sent],
            [each.attempts for each, _ in sent],
            [reference for _, reference in sent],
            at,
        )


async def reroute(
    tx: Connection, claimed: Claimed, data: dict[str, Any], reason: str, at: Instant
) -> None:
    """Have it delivered on another channel (`data` says which), at once."""
    answer: str = await tx.execute(
        """UPDATE delivery SET channel = $3, next_at = clock_timestamp()
           WHERE action_id = $1 AND attempts = $2""",
        claimed.action_id,
        claimed.attempts,
        data["channel"],
    )
    if answer == "UPDATE 1":
        await tx.execute(
            """UPDATE action SET channel = $2, data = $3, reason = $4, updated_at = $5
               WHERE action_id = $1""",
            claimed.action_id,
            data["channel"],
            _pack(data),
            reason,
            at,
        )


async def postpone(
    tx: Connection, claimed: Claimed, after: Duration, reason: str, at: Instant
) -> None:
    """Try again later; the action shows why."""
    answer: str = await tx.execute(
        """UPDATE delivery SET next_at = clock_timestamp() + $3 * interval '1 microsecond'
           WHERE action_id = $1 AND attempts = $2""",
        claimed.action_id,
        claimed.attempts,
        after,
    )
    if answer == "UPDATE 1":
        await tx.execute(
            "UPDATE action SET reason = $2, updated_at = $3 WHERE action_id = $1",
            claimed.action_id,
            reason,
            at,
        )
