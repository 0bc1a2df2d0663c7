"""What hangs on a person when they turn out to be somebody else, or are to be forgotten."""

from services.engagement.store import parked
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.dead_letters import forget_mentions
from zhiyin.runtime.erasures import affected

# Where both have something under one key, the kept person's stands.
_DROP_DOUBLES = (
    """DELETE FROM decision a USING decision k WHERE a.profile_id = $1 AND k.profile_id = $2
         AND a.campaign = k.campaign AND a.occurrence = k.occurrence""",
    """UPDATE run a SET state = 'exited', reason = 'merged', waiting_on = NULL, waiting_until = NULL
       WHERE a.profile_id = $1 AND a.state IN ('active', 'held') AND EXISTS (
         SELECT FROM run k WHERE k.profile_id = $2 AND k.campaign = a.campaign
           AND k.state IN ('active', 'held'))""",
)
_MOVE = (
    "UPDATE decision SET profile_id = $2 WHERE profile_id = $1",
    "UPDATE run SET profile_id = $2 WHERE profile_id = $1",
    "UPDATE action SET profile_id = $2 WHERE profile_id = $1",
    "UPDATE coupon SET profile_id = $2 WHERE profile_id = $1",
)
# The kept person's own changes bring these about again.
_LEAVE_BEHIND = (
    "DELETE FROM member WHERE profile_id = $1",
    "DELETE FROM reorder_watch WHERE profile_id = $1",
    "DELETE FROM timer WHERE profile_id = $1",
)
_FORGET = {
    "engagement.member": "DELETE FROM member WHERE profile_id = $1",
    "engagement.reorder_watch": "DELETE FROM reorder_watch WHERE profile_id = $1",
    "engagement.timer": "DELETE FROM timer WHERE profile_id = $1",
    "engagement.delivery": "DELETE FROM delivery WHERE profile_id = $1",
    "engagement.run": "DELETE FROM run WHERE profile_id = $1",
    "engagement.decision": "DELETE FROM decision WHERE profile_id = $1",
    "engagement.action": "DELETE FROM action WHERE profile_id = $1",
    "engagement.parked": "DELETE FROM parked WHERE profile_id = $1",
}
_UNTIE_COUPONS = """
UPDATE coupon SET profile_id = NULL, revoked_at = coalesce(revoked_at, $2) WHERE profile_id = $1
"""


async def merge(
    tx: Connection, absorbed: str, kept: str, partition: int, at: Instant, until: Instant
) -> None:
    """Move everything to the kept person, whose partition is given; what is parked waits for them
    until `until`. Of two runs in one campaign the absorbed one ends."""
    for statement in _DROP_DOUBLES:
        await tx.execute(statement, absorbed, kept)
    await tx.execute(
        """UPDATE action SET state = 'skipped', reason = 'merged', updated_at = $2
           WHERE profile_id = $1 AND state = 'deferred' AND run_id IN (
             SELECT run_id FROM run WHERE profile_id = $1 AND reason = 'merged')""",
        absorbed,
        at,
    )
    for statement in _MOVE:
        await tx.execute(statement, absorbed, kept)
    await tx.execute(
        "UPDATE delivery SET profile_id = $2, partition = $3 WHERE profile_id = $1",
        absorbed,
        kept,
        partition,
    )
    for statement in _LEAVE_BEHIND:
        await tx.execute(statement, absorbed)
    await parked.move(tx, absorbed, kept, partition, 1, until)


async def forget(tx: Connection, profile_id: str, at: Instant) -> dict[str, int]:
    """Erase what is kept about a person; how much it was, by store. Their unused coupons end; used
    ones stay, as sums of orders, without the person."""
    counts = {
        store: affected(await tx.execute(statement, profile_id))
        for store, statement in _FORGET.items()
    }
    counts["engagement.coupon"] = affected(await tx.execute(_UNTIE_COUPONS, profile_id, at))
    counts["engagement.dead_letter"] = await forget_mentions(
        tx, [profile_id], [profile_id.encode()]
    )
    return counts
