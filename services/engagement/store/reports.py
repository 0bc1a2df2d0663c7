"""What a campaign has come to, and what was done for a person."""

from typing import Any

import msgspec
from msgspec import Struct

from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode


class Item(Struct, frozen=True):
    """An action, or (kind `entry`) a campaign that was not entered, so many `times`."""

    id: str
    at: Instant
    campaign: str
    version: int
    occurrence: str
    kind: str
    state: str
    reason: str | None
    step: str | None
    channel: str | None
    template: str | None
    purpose: str | None
    due_at: Instant | None
    sent_at: Instant | None
    why: dict[str, Any]
    data: dict[str, Any]
    times: int = 1


async def present_id(tx: Connection, profile_id: str) -> str:
    """Who a person is now, if they were merged into somebody."""
    found = await tx.fetchval(
        """WITH RECURSIVE chain(id, next, depth) AS (
             SELECT profile_id, merged_into, 0 FROM person WHERE profile_id = $1
             UNION ALL
             SELECT p.profile_id, p.merged_into, depth + 1 FROM chain
               JOIN person p ON p.profile_id = chain.next WHERE depth < 100)
           SELECT id FROM chain ORDER BY depth DESC LIMIT 1""",
        profile_id,
    )
    return profile_id if found is None else str(found)


async def of_person(
    tx: Connection, profile_id: str, before: tuple[Instant, str] | None, limit: int
) -> list[Item]:
    """Newest first, after the (at, id) given."""
    at, last = before or (2**62, "")
    rows = await tx.fetch(
        """(SELECT action_id::text AS id, at, campaign, version, occurrence, kind, state, reason,
              step, channel, template, purpose, due_at, sent_at, why, data,
              1 AS times
            FROM action WHERE profile_id = $1 AND (at, action_id::text) < ($2, $3)
            ORDER BY at DESC, action_id::text DESC LIMIT $4)
           UNION ALL
           (SELECT campaign || ' ' || occurrence AS id, at, campaign, version, occurrence,
              'entry', 'skipped', reason, NULL, NULL, NULL, NULL, NULL, NULL, why, '\\x80', times
            FROM decision WHERE profile_id = $1 AND NOT entered
              AND (at, campaign || ' ' || occurrence) < ($2, $3)
            ORDER BY at DESC, campaign || ' ' || occurrence DESC LIMIT $4)
           ORDER BY at DESC, id DESC LIMIT $4""",
        profile_id,
        at,
        last,
        limit,
    )
    return [
        Item(**{**row, "why": _unpack(row["why"]), "data": _unpack(row["data"])}) for row in rows
    ]


class Outcome(Struct, frozen=True):
    entered: bool
    reason: str | None
    count: int
    goals: int
    measured: int


async def decisions(tx: Connection, campaign: str) -> list[Outcome]:
    """How often each decision was made; `goals`: how many then did what the campaign is for."""
    rows = await tx.fetch(
        """SELECT entered, reason, sum(times)::bigint, count(goal_at), count(goal_until)
           FROM decision WHERE campaign = $1 GROUP BY entered, reason
           ORDER BY entered DESC, 3 DESC""",
        campaign,
    )
    return [Outcome(*row) for row in rows]


class ActionCount(Struct, frozen=True):
    step: str
    kind: str
    channel: str | None
    state: str
    reason: str | None
    count: int


async def actions(tx: Connection, campaign: str) -> list[ActionCount]:
    rows = await tx.fetch(
        """SELECT step, kind, channel, state, reason, count(*) FROM action WHERE campaign = $1
           GROUP BY step, kind, channel, state, reason ORDER BY step, kind, state, reason""",
        campaign,
    )
    return [ActionCount(*row) for row in rows]


class RunCount(Struct, frozen=True):
    state: str
    reason: str | None
    count: int


async def runs(tx: Connection, campaign: str) -> list[RunCount]:
    rows = await tx.fetch(
        """SELECT state, reason, count(*) FROM run WHERE campaign = $1
           GROUP BY state, reason ORDER BY state, reason""",
        campaign,
    )
    return [RunCount(*row) for row in rows]


class CouponCount(Struct, frozen=True):
    """`discount` in minor units."""

    issued: int
    redeemed: int
    discount: int


async def coupon_count(tx: Connection, campaign: str) -> CouponCount:
    row = await tx.fetchrow(
        """SELECT count(*), count(r.id), coalesce(sum(r.discount), 0)::bigint FROM coupon c
           LEFT JOIN redemption r ON r.code = c.code AND r.reversed_at IS NULL
           WHERE c.campaign = $1""",
        campaign,
    )
    return CouponCount(*row)
