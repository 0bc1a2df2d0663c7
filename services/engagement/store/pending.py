"""Reorder dates that wait for their day."""

from collections.abc import Collection, Sequence

from services.engagement.domain.reorder import Watch
from zhiyin.runtime.batch import Connection


async def watches(tx: Connection, ids: Collection[str]) -> list[Watch]:
    rows = await tx.fetch(
        """SELECT profile_id, campaign, sku, due_at, fire_at FROM reorder_watch
           WHERE profile_id = ANY($1::text[])""",
        list(ids),
    )
    return [Watch(*row) for row in rows]


async def save_watches(tx: Connection, watched: Sequence[Watch]) -> None:
    if watched:
        await tx.execute(
            """INSERT INTO reorder_watch (profile_id, campaign, sku, due_at, fire_at)
               SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::bigint[])
               ON CONFLICT (profile_id, campaign, sku) DO UPDATE SET due_at = excluded.due_at,
                 fire_at = excluded.fire_at""",
            [each.profile_id for each in watched],
            [each.campaign for each in watched],
            [each.sku for each in watched],
            [each.due_at for each in watched],
            [each.fire_at for each in watched],
        )


async def drop_watches(tx: Connection, over: Sequence[Watch]) -> None:
    if over:
        await tx.execute(
            """DELETE FROM reorder_watch w
               USING unnest($1::text[], $2::text[], $3::text[]) AS o(profile_id, campaign, sku)
               WHERE w.profile_id = o.profile_id AND w.campaign = o.campaign AND w.sku = o.sku""",
            [each.profile_id for each in over],
            [each.campaign for each in over],
            [each.sku for each in over],
        )
