"""Coupons: issued within their budget, each to somebody, for a time."""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from services.engagement.domain.coupons import Coupon, discount
from services.engagement.store import redemptions
from services.engagement.store.redemptions import Redemption
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor
from zhiyin.runtime.batch import Connection


class StoredCoupon(Struct, frozen=True):
    """`profile_id` None: its person was erased. `redemption`: the newest, reversed or not."""

    code: str
    template: str
    profile_id: str | None
    campaign: str
    kind: str
    text: str
    value: int
    minimum: Minor
    issued_at: Instant
    expires_at: Instant
    revoked_at: Instant | None
    redemption: Redemption | None = None

    @property
    def standing(self) -> Redemption | None:
        """The redemption that has not been reversed."""
        used = self.redemption
        return used if used is not None and used.reversed_at is None else None

    def off(self, amount: Minor) -> Minor:
        """Money off an order of this amount."""
        return discount(self.kind, self.value, amount)


async def left(tx: Connection, templates: Collection[str]) -> dict[str, int]:
    """As `remaining`, for somebody who only looks."""
    rows = await tx.fetch(
        """SELECT key, budget - issued FROM coupon_template
           WHERE key = ANY($1::text[]) AND budget IS NOT NULL""",
        list(templates),
    )
    return dict(rows)


async def remaining(tx: Connection, templates: Collection[str]) -> dict[str, int]:
    """How many of each template with a budget may still be issued. Locks their counters until the
    transaction ends, so that nobody else issues the last one as well; call it after locking
    people, and once."""
    if not templates:
        return {}
    rows = await tx.fetch(
        """SELECT key, budget - issued FROM coupon_template
           WHERE key = ANY($1::text[]) AND budget IS NOT NULL ORDER BY key FOR UPDATE""",
        list(templates),
    )
    return dict(rows)


async def used_up(tx: Connection, template: str) -> bool:
    """Whether the budget is known to be spent; a few may be about to spend the last of it."""
    found: bool | None = await tx.fetchval(
        "SELECT issued >= budget FROM coupon_template WHERE key = $1", template
    )
    return bool(found)


async def counts(
    tx: Connection, people: Collection[str], templates: Collection[str]
) -> list[tuple[str, str, int]]:
    """(person, template, how many they have been issued so far). Found by person: a table without
    statistics may be read by template, all of it."""
    if not templates:
        return []
    rows = await tx.fetch(
        """WITH theirs AS MATERIALIZED (
             SELECT profile_id, template FROM coupon WHERE profile_id = ANY($1::text[]))
           SELECT profile_id, template, count(*) FROM theirs
           WHERE template = ANY($2::text[]) GROUP BY profile_id, template""",
        list(people),
        list(templates),
    )
    return [(profile_id, template, count) for profile_id, template, count in rows]


async def issue(tx: Connection, coupons: Iterable[Coupon]) -> None:
    rows = sorted(coupons, key=lambda coupon: coupon.code)
    if not rows:
        return
    await tx.execute(
        """WITH new AS (
             INSERT INTO coupon (code, template, profile_id, campaign, action_id, kind, text,
               value, minimum, issued_at, expires_at, remind_at)
             SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::uuid[],
               $6::text[], $7::text[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[],
               $12::bigint[])
             RETURNING template)
           UPDATE coupon_template SET issued = issued + counted.n
           FROM (SELECT template, count(*) AS n FROM new GROUP BY template ORDER BY template)
             AS counted
           WHERE key = counted.template""",
        [each.code for each in rows],
        [each.template for each in rows],
        [each.profile_id for each in rows],
        [each.campaign for each in rows],
        [each.action_id for each in rows],
        [each.kind for each in rows],
        [each.text for each in rows],
        [each.value for each in rows],
        [each.minimum for each in rows],
        [each.issued_at for each in rows],
        [each.expires_at for each in rows],
        [each.remind_at for each in rows],
    )


_COUPON = """SELECT code, template, profile_id, campaign, kind, text, value, minimum, issued_at,
  expires_at, revoked_at FROM coupon"""


async def find(tx: Connection, code: str, *, lock: bool = False) -> StoredCoupon | None:
    """A coupon with its newest redemption; `lock` keeps everybody else from using it meanwhile."""
    suffix = " FOR UPDATE" if lock else ""
    row = await tx.fetchrow(f"{_COUPON} WHERE code = $1{suffix}", code)
    if row is None:
        return None
    return StoredCoupon(**dict(row), redemption=(await redemptions.newest(tx, [code])).get(code))


async def lock_owner(tx: Connection, code: str) -> None:
    """Keep changes of whom a coupon was issued to waiting; before the coupon itself is locked."""
    await tx.execute(
        """SELECT FROM person
           WHERE profile_id = (SELECT profile_id FROM coupon WHERE code = $1) FOR UPDATE""",
        code,
    )


async def unused(tx: Connection, profile_id: str) -> list[tuple[str, Instant]]:
    """(code, when to remind of it) of the coupons a person holds and has not used."""
    rows = await tx.fetch(
        """SELECT code, remind_at FROM coupon c
           WHERE profile_id = $1 AND revoked_at IS NULL AND remind_at IS NOT NULL
             AND NOT EXISTS (SELECT FROM redemption r
               WHERE r.code = c.code AND r.reversed_at IS NULL)""",
        profile_id,
    )
    return [tuple(row) for row in rows]


async def revoke(tx: Connection, coupon: StoredCoupon, reason: str, at: Instant) -> StoredCoupon:
    await tx.execute(
        "UPDATE coupon SET revoked_at = $2, revoke_reason = $3 WHERE code = $1",
        coupon.code,
        at,
        reason,
    )
    return replace(coupon, revoked_at=at)


async def of_person(
    tx: Connection, profile_id: str, before: tuple[Instant, str] | None, limit: int
) -> list[StoredCoupon]:
    """A person's coupons, newest first, after the (issued_at, code) given."""
    at, code = before or (2**62, "")
    rows: Sequence[Any] = await tx.fetch(
        f"""{_COUPON} WHERE profile_id = $1 AND (issued_at, code) < ($2, $3)
            ORDER BY issued_at DESC, code DESC LIMIT $4""",
        profile_id,
        at,
        code,
        limit,
    )
    used = await redemptions.newest(tx, [row[0] for row in rows])
    return [StoredCoupon(**dict(row), redemption=used.get(row["code"])) for row in rows]
