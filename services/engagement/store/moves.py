"""What hangs on a person when they turn out to be somebody else, or are to be forgotten."""

from services.engagement.store import parked
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection
from zhiyin.runtime.dead_letters import forget_mentions
from zhiyin.runtime.erasures import affected

# Where both have something under one key, the kept person's stands.
_SET_DOUBLES_ASIDE = (
    """UPDATE decision a SET occurrence = a.occurrence || '~' || $1
       FROM decision k WHERE a.profile_id = $1 AND k.profile_id = $2
         AND a.campaign = k.campaign AND a.occurrence = k.occurrence""",
    """UPDATE run a SET suspended = a.state || '@' || $2, state = 'exited', reason = 'merged'
       WHERE a.profile_id = $1 AND a.state IN ('active', 'held') AND EXISTS (
         SELECT FROM run k WHERE k.profile_id = $2 AND k.campaign = a.campaign
           AND k.state IN ('active', 'held'))""",
)
_MOVED = ("decision", "run", "action", "coupon", "task")
_MOVE = tuple(
    f"""UPDATE {table} SET profile_id = $2, home = coalesce(home, profile_id)
        WHERE profile_id = $1"""  # noqa: S608 - our own names
    for table in _MOVED
)
# $1: whom they were part of, $2: who they are again, $3: with all who were part of them before.
_RETURN = (
    *(
        f"""UPDATE {table} SET profile_id = $2, home = nullif(home, $2)
            WHERE profile_id = $1 AND home = ANY($3::text[])"""  # noqa: S608 - our own names
        for table in _MOVED
    ),
    """UPDATE person SET merged_into = $2
       WHERE profile_id = ANY($3::text[]) AND profile_id <> $2 AND merged_into = $1""",
)
# The kept person's own changes bring these about again.
_LEAVE_BEHIND = (
    "DELETE FROM member WHERE profile_id = $1",
    "DELETE FROM reorder_watch WHERE profile_id = $1",
    "DELETE FROM date_watch WHERE profile_id = $1",
    "DELETE FROM timer WHERE profile_id = $1",
)
_FORGET = {
    "engagement.member": "DELETE FROM member WHERE profile_id = $1",
    "engagement.reorder_watch": "DELETE FROM reorder_watch WHERE profile_id = $1",
    "engagement.date_watch": "DELETE FROM date_watch WHERE profile_id = $1",
    "engagement.timer": "DELETE FROM timer WHERE profile_id = $1",
    "engagement.delivery": "DELETE FROM delivery WHERE profile_id = $1",
    "engagement.subject": "DELETE FROM subject WHERE profile_id = $1",
    "engagement.run": "DELETE FROM run WHERE profile_id = $1",
    "engagement.decision": "DELETE FROM decision WHERE profile_id = $1",
    "engagement.task": "DELETE FROM task WHERE profile_id = $1",
    **{
        f"engagement.{table}": f"""DELETE FROM {table} WHERE action_id IN (
          SELECT action_id FROM action WHERE profile_id = $1)"""  # noqa: S608 - our own names
        for table in ("link", "inbox")
    },
    "engagement.action": "DELETE FROM action WHERE profile_id = $1",
    "engagement.parked": "DELETE FROM parked WHERE profile_id = $1",
}
_UNTIE_COUPONS = """
UPDATE coupon SET profile_id = NULL, home = NULL, revoked_at = coalesce(revoked_at, $2)
WHERE profile_id = $1
"""


async def merge(
    tx: Connection, absorbed: str, kept: str, partition: int, at: Instant, until: Instant
) -> None:
    """Move everything to the kept person, whose partition is given; what is parked waits for them
    until `until`. Of two runs in one campaign the absorbed one ends. `part` undoes it."""
    for statement in _SET_DOUBLES_ASIDE:
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


async def part(
    tx: Connection, kept: str, back: str, partition: int, group: list[str], left: list[str]
) -> None:
    """What had been of `back`, and of all in `group` who were part of them, is theirs again; what
    came about while they were `kept` stays there. Runs that a merge into one of `left` had ended go
    on."""
    for statement in _RETURN:
        await tx.execute(statement, kept, back, group)
    await tx.execute(
        """UPDATE decision SET occurrence = left(occurrence, -length($2) - 1)
           WHERE profile_id = $1 AND right(occurrence, length($2) + 1) = '~' || $2""",
        back,
        back,
    )
    resumed = await tx.fetch(
        """UPDATE run SET state = split_part(suspended, '@', 1), reason = NULL, suspended = NULL
           WHERE profile_id = $1 AND split_part(suspended, '@', 2) = ANY($2::text[])
           RETURNING run_id""",
        back,
        left,
    )
    await tx.execute(
        """UPDATE action SET state = 'deferred', reason = NULL
           WHERE profile_id = $1 AND state = 'skipped' AND reason = 'merged'
             AND run_id = ANY($2::uuid[])""",
        back,
        [row[0] for row in resumed],
    )
    await tx.execute(
        """UPDATE delivery SET profile_id = $1, partition = $2 WHERE action_id IN (
             SELECT action_id FROM action WHERE profile_id = $1)""",
        back,
        partition,
    )


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
