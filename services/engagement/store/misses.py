"""Coupon codes that were asked for and do not exist, by caller and minute."""

from zhiyin.runtime.batch import Connection


async def count(connection: Connection, actor: str, since: int) -> int:
    """Of this caller, in the minutes after `since`."""
    found: int = await connection.fetchval(
        """SELECT coalesce(sum(misses), 0)::int FROM code_miss
           WHERE actor = $1 AND minute > $2""",
        actor,
        since,
    )
    return found


async def add(tx: Connection, actor: str, minute: int, forget: int) -> None:
    """One more; what is from `forget` or before is of no interest any more."""
    await tx.execute(
        """INSERT INTO code_miss (actor, minute, misses) VALUES ($1, $2, 1)
           ON CONFLICT (actor, minute) DO UPDATE SET misses = code_miss.misses + 1""",
        actor,
        minute,
    )
    await tx.execute("DELETE FROM code_miss WHERE actor = $1 AND minute <= $2", actor, forget)
