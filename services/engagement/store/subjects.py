"""Subjects of experiments: people from their first decision on, and the outcomes."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from typing import Any

from msgspec import Struct

from services.engagement.domain.experiments import Trial
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor
from zhiyin.runtime.batch import Connection

_PAGE = 5_000


class Outcome(Struct, frozen=True):
    """What a subject did in their time."""

    profile_id: str
    campaign: str
    at: Instant
    until: Instant
    orders: int
    revenue: Minor


class Group(Struct, frozen=True):
    """Subjects whose time is over; `open` ones' is not. Sums of revenue and of its squares."""

    treated: bool
    people: int
    converted: int
    orders: int
    revenue: int
    squares: float
    open: int


class Single(Struct, frozen=True):
    profile_id: str
    converted: bool
    revenue: Minor


async def add(tx: Connection, trials: Iterable[Trial]) -> None:
    """Who is a subject already stays what they are."""
    rows = sorted(trials, key=lambda each: (each.profile_id, each.campaign))
    if rows:
        await tx.execute(
            """INSERT INTO subject (profile_id, campaign, version, treated, at, until)
               SELECT * FROM unnest($1::text[], $2::text[], $3::int[], $4::bool[], $5::bigint[],
                 $6::bigint[])
               ON CONFLICT (profile_id, campaign) DO NOTHING""",
            [each.profile_id for each in rows],
            [each.campaign for each in rows],
            [each.version for each in rows],
            [each.group == "treatment" for each in rows],
            [each.at for each in rows],
            [each.until for each in rows],
        )


async def of_people(tx: Connection, ids: Collection[str]) -> list[Outcome]:
    rows = await tx.fetch(
        """SELECT profile_id, campaign, at, until, orders, revenue FROM subject
           WHERE profile_id = ANY($1::text[])""",
        list(ids),
    )
    return [Outcome(*row) for row in rows]


async def save(tx: Connection, changed: Sequence[Outcome]) -> None:
    rows = sorted(changed, key=lambda each: (each.profile_id, each.campaign))
    if rows:
        await tx.execute(
            """UPDATE subject s SET orders = n.orders, revenue = n.revenue
               FROM unnest($1::text[], $2::text[], $3::int[], $4::bigint[])
                 AS n(profile_id, campaign, orders, revenue)
               WHERE s.profile_id = n.profile_id AND s.campaign = n.campaign""",
            [each.profile_id for each in rows],
            [each.campaign for each in rows],
            [each.orders for each in rows],
            [each.revenue for each in rows],
        )


async def reach_goals(tx: Connection, reached: Collection[tuple[str, str, Instant]]) -> None:
    """(person, campaign, when what it is for happened). Found by person first: joined in one go, a
    table without statistics may be read by campaign, all of it for each."""
    rows = sorted(reached)
    if rows:
        await tx.execute(
            """WITH known AS MATERIALIZED (
                 SELECT ctid AS place, profile_id, campaign, at, until FROM subject
                 WHERE profile_id = ANY($1::text[]) AND goal_at IS NULL)
               UPDATE subject s SET goal_at = n.at
               FROM (SELECT known.place, min(u.at) AS at
                     FROM unnest($1::text[], $2::text[], $3::bigint[])
                       AS u(profile_id, campaign, at)
                     JOIN known USING (profile_id, campaign)
                     WHERE u.at >= known.at AND u.at <= known.until GROUP BY known.place) n
               WHERE s.ctid = n.place""",
            [row[0] for row in rows],
            [row[1] for row in rows],
            [row[2] for row in rows],
        )


async def groups(
    connection: Connection, campaign: str, now: Instant, *, by_goal: bool
) -> list[Group]:
    """`by_goal`: converted is who reached the goal, else who ordered."""
    rows: Sequence[Any] = await connection.fetch(
        """SELECT treated, count(*) FILTER (WHERE until <= $2),
             count(*) FILTER (WHERE until <= $2
               AND CASE WHEN $3 THEN goal_at IS NOT NULL ELSE orders > 0 END),
             coalesce(sum(orders) FILTER (WHERE until <= $2), 0)::bigint,
             coalesce(sum(revenue) FILTER (WHERE until <= $2), 0)::bigint,
             coalesce(sum(revenue::float8 ^ 2) FILTER (WHERE until <= $2), 0)::float8,
             count(*) FILTER (WHERE until > $2)
           FROM subject WHERE campaign = $1 GROUP BY treated""",
        campaign,
        now,
        by_goal,
    )
    return [Group(*row) for row in rows]


async def treated(
    connection: Connection, campaign: str, now: Instant, *, by_goal: bool
) -> AsyncIterator[list[Single]]:
    """Page after page of those treated whose time is over."""
    after = ""
    while True:
        rows = await connection.fetch(
            """SELECT profile_id, CASE WHEN $3 THEN goal_at IS NOT NULL ELSE orders > 0 END, revenue
               FROM subject WHERE campaign = $1 AND until <= $2 AND treated AND profile_id > $4
               ORDER BY profile_id LIMIT $5""",
            campaign,
            now,
            by_goal,
            after,
            _PAGE,
        )
        yield [Single(*row) for row in rows]
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


class Spent(Struct, frozen=True):
    """On subjects whose time is over: by coupon template (redeemed, discount), by channel."""

    coupons: dict[str, tuple[int, Minor]]
    messages: dict[str, int]


async def spent(connection: Connection, campaign: str, now: Instant) -> Spent:
    coupons = await connection.fetch(
        """SELECT c.template, count(*), sum(r.discount - r.returned)::bigint
           FROM subject s
           JOIN coupon c ON c.campaign = s.campaign
             AND coalesce(c.home, c.profile_id) = s.profile_id
           JOIN redemption r ON r.code = c.code AND r.reversed_at IS NULL
           WHERE s.campaign = $1 AND s.until <= $2 AND s.treated GROUP BY c.template""",
        campaign,
        now,
    )
    messages = await connection.fetch(
        """SELECT coalesce(a.channel, ''), count(*) FROM subject s
           JOIN action a ON a.campaign = s.campaign
             AND coalesce(a.home, a.profile_id) = s.profile_id
           WHERE s.campaign = $1 AND s.until <= $2 AND s.treated AND a.kind = 'message'
             AND a.state IN ('decided', 'sent') GROUP BY 1""",
        campaign,
        now,
    )
    return Spent({row[0]: (row[1], row[2]) for row in coupons}, dict(messages))
