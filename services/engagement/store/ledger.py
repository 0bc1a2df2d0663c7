"""The ledger: who entered what and why not, what was done, and what is still to be delivered."""

import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import Any, Final

import msgspec

from services.engagement.domain.customer import MISSED, Action, Decision
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_COUNTED: Final = """ON CONFLICT (profile_id, campaign, occurrence) DO UPDATE SET
  times = decision.times + excluded.times, at = excluded.at, version = excluded.version,
  why = excluded.why"""
_pack = msgspec.msgpack.Encoder().encode


async def decided(
    tx: Connection, wanted: Collection[tuple[str, str, str]]
) -> list[tuple[str, str, str]]:
    """Those of (person, campaign, occurrence) that were decided before."""
    keys = list(wanted)
    rows = await tx.fetch(
        # OFFSET keeps it a look-up per key: joined freely, a young table is read as a whole.
        """SELECT w.* FROM unnest($1::text[], $2::text[], $3::text[])
             AS w(profile_id, campaign, occurrence)
           CROSS JOIN LATERAL (
             SELECT FROM decision d WHERE d.profile_id = w.profile_id
               AND d.campaign = w.campaign AND d.occurrence = w.occurrence OFFSET 0) found""",
        [key[0] for key in keys],
        [key[1] for key in keys],
        [key[2] for key in keys],
    )
    return [(profile_id, campaign, occurrence) for profile_id, campaign, occurrence in rows]


async def add_decisions(tx: Connection, decisions: Sequence[Decision]) -> None:
    """A decision made twice breaks the primary key, and so the whole batch: it cannot be. What was
    missed is counted."""
    missed = [each for each in decisions if each.occurrence == MISSED]
    await _insert(tx, [each for each in decisions if each.occurrence != MISSED], "")
    await _insert(tx, missed, _COUNTED)


async def _insert(tx: Connection, decisions: Sequence[Decision], doubles: str) -> None:
    if not decisions:
        return
    await tx.execute(
        f"""INSERT INTO decision (profile_id, campaign, occurrence, version, at, entered, reason,
              why, goal_until, times)
            SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::int[], $5::bigint[],
              $6::bool[], $7::text[], $8::bytea[], $9::bigint[], $10::int[]) {doubles}""",  # noqa: S608
        [each.profile_id for each in decisions],
        [each.campaign for each in decisions],
        [each.occurrence for each in decisions],
        [each.version for each in decisions],
        [each.at for each in decisions],
        [each.entered for each in decisions],
        [each.reason for each in decisions],
        [_pack(each.why) for each in decisions],
        [each.goal_until for each in decisions],
        [each.times for each in decisions],
    )


async def reach_goals(tx: Connection, reached: Iterable[tuple[str, str, Instant]]) -> None:
    """Note for (person, campaign, event's instant) that what the campaign was for has happened."""
    rows = sorted(set(reached))
    if not rows:
        return
    await tx.execute(
        """UPDATE decision d SET goal_at = n.at
           FROM (SELECT profile_id, campaign, occurrence, min(u.at) AS at
                 FROM unnest($1::text[], $2::text[], $3::bigint[]) AS u(profile_id, campaign, at)
                 JOIN decision known USING (profile_id, campaign)
                 WHERE known.goal_until IS NOT NULL AND known.goal_at IS NULL
                   AND u.at >= known.at AND u.at <= known.goal_until
                 GROUP BY profile_id, campaign, occurrence) n
           WHERE d.profile_id = n.profile_id AND d.campaign = n.campaign
             AND d.occurrence = n.occurrence""",
        [row[0] for row in rows],
        [row[1] for row in rows],
        [row[2] for row in rows],
    )


async def save_actions(tx: Connection, actions: Iterable[Action]) -> set[uuid.UUID]:
    """Returns those that are new or were waiting until now. One that was settled before stays as
    it is: this is where an effect becomes one effect."""
    rows = sorted(actions, key=lambda action: action.action_id)
    if not rows:
        return set()
    saved = await tx.fetch(
        """INSERT INTO action
             (profile_id, action_id, campaign, version, occurrence, run_id, step, kind, purpose,
              state, reason, channel, template, at, updated_at, due_at, sent_at, why, data)
           SELECT profile_id, action_id, campaign, version, occurrence, run_id, step, kind,
              purpose, state, reason, channel, template, at, at, due_at,
              CASE WHEN state = 'sent' THEN at END, why, data
           FROM unnest(
               $1::text[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::uuid[], $7::text[],
               $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[],
               $14::bigint[], $15::bigint[], $16::bytea[], $17::bytea[])
             AS n(profile_id, action_id, campaign, version, occurrence, run_id, step, kind,
               purpose, state, reason, channel, template, at, due_at, why, data)
           ON CONFLICT (action_id) DO UPDATE SET state = excluded.state, reason = excluded.reason,
             channel = excluded.channel, at = excluded.at, updated_at = excluded.updated_at,
             due_at = excluded.due_at, why = excluded.why, data = excluded.data
             WHERE action.state = 'deferred'
           RETURNING action_id""",
        [each.profile_id for each in rows],
        [each.action_id for each in rows],
        [each.campaign for each in rows],
        [each.version for each in rows],
        [each.occurrence for each in rows],
        [each.run_id for each in rows],
        [each.step for each in rows],
        [each.kind for each in rows],
        [each.purpose for each in rows],
        [each.state for each in rows],
        [each.reason for each in rows],
        [each.channel for each in rows],
        [each.template for each in rows],
        [each.at for each in rows],
        [each.due_at for each in rows],
        [_pack(each.why) for each in rows],
        [_pack(each.data) for each in rows],
    )
    return {uuid.UUID(bytes=row[0].bytes) for row in saved}


async def queue(tx: Connection, actions: Sequence[Action], partition: dict[str, int]) -> None:
    """Have these actions delivered once the transaction has committed."""
    if not actions:
        return
    await tx.execute(
        """INSERT INTO delivery (action_id, profile_id, partition, channel, traceparent)
           SELECT * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::text[], $5::text[])""",
        [each.action_id for each in actions],
        [each.profile_id for each in actions],
        [partition[each.profile_id] for each in actions],
        [each.channel or "" for each in actions],
        [each.traceparent for each in actions],
    )


def unpack(packed: bytes) -> Any:
    return msgspec.msgpack.decode(packed)
