"""What orders did with coupons: used them, gave them back, used what was no longer to be used."""

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct
from msgspec.structs import replace

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.money import Minor
from zhiyin.runtime.batch import Connection

_COLUMNS = "id, order_id, store_id, amount, discount, at, reversed_at, refunded, returned"


class Redemption(Struct, frozen=True):
    """`refunded`: of the order's money; `returned`: so much of the discount is no cost any more."""

    id: int
    order_id: str
    store_id: str | None
    amount: Minor
    discount: Minor
    at: Instant
    reversed_at: Instant | None
    refunded: Minor = 0
    returned: Minor = 0


class Taken(Struct, frozen=True):
    """An order that uses a coupon, or says that it has. `amount`: before the coupon."""

    order_id: str
    store_id: str | None
    amount: Minor
    at: Instant


class Undone(Struct, frozen=True):
    """An order of which so much of what was paid went back; `whole`: all of it."""

    order_id: str
    refunded: Minor
    paid: Minor
    whole: bool


async def of_order(tx: Connection, code: str, order_id: str) -> Redemption | None:
    """The newest redemption of a coupon by one order."""
    row = await tx.fetchrow(
        f"""SELECT {_COLUMNS} FROM redemption
            WHERE code = $1 AND order_id = $2 ORDER BY id DESC LIMIT 1""",  # noqa: S608
        code,
        order_id,
    )
    return None if row is None else Redemption(*row)


async def newest(tx: Connection, codes: Collection[str]) -> dict[str, Redemption]:
    """The newest redemption of each coupon, reversed or not."""
    rows = await tx.fetch(
        f"""SELECT DISTINCT ON (code) code, {_COLUMNS}
            FROM redemption WHERE code = ANY($1::text[]) ORDER BY code, id DESC""",  # noqa: S608
        list(codes),
    )
    return {row[0]: Redemption(*row[1:]) for row in rows}


async def redeem(tx: Connection, code: str, taken: Taken, discount: Minor) -> Redemption:
    """The coupon must be locked and free."""
    row = await tx.fetchrow(
        f"""INSERT INTO redemption (code, order_id, store_id, amount, discount, at)
            VALUES ($1, $2, $3, $4, $5, $6) RETURNING {_COLUMNS}""",  # noqa: S608
        code,
        taken.order_id,
        taken.store_id,
        taken.amount,
        discount,
        taken.at,
    )
    return Redemption(*row)


async def reverse(tx: Connection, redemption: Redemption, at: Instant) -> Redemption:
    await tx.execute("UPDATE redemption SET reversed_at = $2 WHERE id = $1", redemption.id, at)
    return replace(redemption, reversed_at=at)


async def undo_orders(tx: Connection, orders: Iterable[Undone], at: Instant) -> None:
    """Give back the coupons of orders undone as a whole; of others a share of the discount."""
    rows: Sequence[Undone] = sorted(orders, key=lambda each: each.order_id)
    if rows:
        await tx.execute(
            """UPDATE redemption r SET reversed_at = CASE WHEN n.whole THEN $5::bigint END,
                 refunded = n.refunded, returned = CASE WHEN n.whole THEN discount
                   ELSE discount * n.refunded / greatest(n.paid, 1) END
               FROM (SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bool[])
                     AS u(order_id, refunded, paid, whole)) n
               WHERE r.id IN (SELECT id FROM redemption WHERE order_id = ANY($1::text[])
                   AND reversed_at IS NULL ORDER BY id FOR UPDATE)
                 AND r.order_id = n.order_id""",
            [each.order_id for each in rows],
            [min(each.refunded, each.paid) for each in rows],
            [each.paid for each in rows],
            [each.whole for each in rows],
            at,
        )


async def note_conflict(
    tx: Connection, code: str, taken: Taken, discount: Minor, reason: str, at: Instant
) -> None:
    """An order that had the discount although it should not have; told again it is one."""
    await tx.execute(
        """INSERT INTO coupon_conflict
             (code, order_id, store_id, reason, amount, discount, at, noted_at)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING""",
        code,
        taken.order_id,
        taken.store_id,
        reason,
        taken.amount,
        discount,
        taken.at,
        at,
    )
