"""Where people stand in the journeys of campaigns."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any

import msgspec

from services.engagement.domain.customer import Run, Waiting
from zhiyin.runtime.batch import Connection

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(dict[str, Any]).decode
_COLUMNS = """run_id, profile_id, origin, campaign, version, occurrence, entered_at, state, reason,
  step, waiting_on, waiting_until, context, traceparent"""
_INSIDE = "state IN ('active', 'held')"


async def inside(tx: Connection, ids: Collection[str]) -> list[Run]:
    """The runs these people are inside of."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM run WHERE profile_id = ANY($1::text[]) AND {_INSIDE}",  # noqa: S608
        list(ids),
    )
    return [_run(row) for row in rows]


async def of_campaign(tx: Connection, profile_id: str, campaign: str) -> list[Run]:
    """All of a person's, over or not."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM run WHERE profile_id = $1 AND campaign = $2",  # noqa: S608
        profile_id,
        campaign,
    )
    return [_run(row) for row in rows]


async def owners(tx: Connection, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Whose runs these are, now: a merge may have moved them since."""
    rows = await tx.fetch(
        "SELECT run_id, profile_id FROM run WHERE run_id = ANY($1::uuid[])", list(ids)
    )
    return dict(rows)


async def held_after(
    tx: Connection, campaign: str, partition: int, after: str, limit: int
) -> list[str]:
    """The next people inside a campaign on one partition."""
    rows = await tx.fetch(
        f"""SELECT DISTINCT run.profile_id FROM run JOIN person USING (profile_id)
            WHERE campaign = $1 AND {_INSIDE} AND person.partition = $2 AND run.profile_id > $3
            ORDER BY run.profile_id LIMIT $4""",  # noqa: S608
        campaign,
        partition,
        after,
        limit,
    )
    return [row[0] for row in rows]


async def save(tx: Connection, changed: Iterable[Run]) -> None:
    # Those that ended first: a person is inside of a campaign once, in every row on the way.
    runs = sorted(changed, key=lambda run: (run.inside, run.profile_id, run.run_id))
    if not runs:
        return
    await tx.execute(
        f"""INSERT INTO run ({_COLUMNS})
            SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[],
              $6::text[], $7::bigint[], $8::text[], $9::text[], $10::text[], $11::text[],
              $12::bigint[], $13::bytea[], $14::text[])
            ON CONFLICT (profile_id, run_id) DO UPDATE SET version = excluded.version,
              state = excluded.state, reason = excluded.reason, step = excluded.step,
              waiting_on = excluded.waiting_on,
              waiting_until = excluded.waiting_until, context = excluded.context""",  # noqa: S608
        [run.run_id for run in runs],
        [run.profile_id for run in runs],
        [run.origin for run in runs],
        [run.campaign for run in runs],
        [run.version for run in runs],
        [run.occurrence for run in runs],
        [run.entered_at for run in runs],
        [run.state for run in runs],
        [run.reason for run in runs],
        [run.step for run in runs],
        [None if run.waiting is None else run.waiting.on for run in runs],
        [None if run.waiting is None else run.waiting.until for run in runs],
        [_pack(run.context) for run in runs],
        [run.traceparent for run in runs],
    )


def _run(row: Sequence[Any]) -> Run:
    (
        run_id, profile_id, origin, campaign, version, occurrence, entered_at, state, reason, step,
        waiting_on, waiting_until, context, traceparent,
    ) = row  # fmt: skip
    return Run(
        run_id=uuid.UUID(bytes=run_id.bytes),
        profile_id=profile_id,
        origin=origin,
        campaign=campaign,
        version=version,
        occurrence=occurrence,
        entered_at=entered_at,
        state=state,
        reason=reason,
        step=step,
        waiting=None if waiting_on is None else Waiting(waiting_on, waiting_until),
        context=_unpack(context),
        traceparent=traceparent,
    )
