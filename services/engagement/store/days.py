"""Days of people that wait for their hour."""

from collections.abc import Collection, Sequence

from services.engagement.domain.dates import DateWatch
from zhiyin.runtime.batch import Connection


async def watches(tx: Connection, ids: Collection[str]) -> list[DateWatch]:
    rows = await tx.fetch(
        """SELECT profile_id, campaign, name, day, fire_at FROM date_watch
           WHERE profile_id = ANY($1::text[])""",
        list(ids),
    )
    return [DateWatch(*row) for row in rows]


async def save(tx: Connection, watched: Sequence[DateWatch]) -> None:
    if watched:
        await tx.execute(
            """INSERT INTO date_watch (profile_id, campaign, name, day, fire_at)
               SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
               ON CONFLICT (profile_id, campaign) DO UPDATE SET name = excluded.name,
                 day = excluded.day, fire_at = excluded.fire_at""",
            [each.profile_id for each in watched],
            [each.campaign for each in watched],
            [each.name for each in watched],
            [each.day for each in watched],
            [each.fire_at for each in watched],
        )


async def drop(tx: Connection, over: Sequence[DateWatch]) -> None:
    if over:
        await tx.execute(
            """DELETE FROM date_watch w
               USING unnest($1::text[], $2::text[]) AS o(profile_id, campaign)
               WHERE w.profile_id = o.profile_id AND w.campaign = o.campaign""",
            [each.profile_id for each in over],
            [each.campaign for each in over],
        )
