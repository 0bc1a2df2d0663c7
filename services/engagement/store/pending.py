"""What waits for something: segment changes for their person, reorder dates for their day."""

from collections.abc import Collection, Sequence

from msgspec import Struct

from services.engagement.domain.reorder import Watch
from zhiyin.contracts.profiles import encode
from zhiyin.contracts.segments import SegmentChanged, decode_segment_changed
from zhiyin.runtime.batch import Connection


class Parked(Struct, frozen=True):
    profile_id: str
    change: SegmentChanged
    traceparent: str


async def park(tx: Connection, waiting: Sequence[Parked]) -> None:
    if waiting:
        await tx.execute(
            """INSERT INTO parked (profile_id, message_id, profile_version, change, traceparent)
               SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bytea[], $5::text[])
               ON CONFLICT DO NOTHING""",
            [each.profile_id for each in waiting],
            [each.change.message_id for each in waiting],
            [each.change.profile_version for each in waiting],
            [encode(each.change) for each in waiting],
            [each.traceparent for each in waiting],
        )


async def unpark(tx: Connection, versions: dict[str, int], *, anyway: bool = False) -> list[Parked]:
    """Take out what these people, now at these versions, no longer wait for; `anyway`: all."""
    if not versions:
        return []
    rows = await tx.fetch(
        """DELETE FROM parked p USING unnest($1::text[], $2::bigint[]) AS v(profile_id, version)
           WHERE p.profile_id = v.profile_id AND ($3 OR p.profile_version <= v.version)
           RETURNING p.profile_id, p.change, p.traceparent""",
        list(versions),
        list(versions.values()),
        anyway,
    )
    return [
        Parked(profile_id, decode_segment_changed(change), traceparent)
        for profile_id, change, traceparent in rows
    ]


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
