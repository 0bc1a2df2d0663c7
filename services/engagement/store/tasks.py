"""Tasks of staff, in the order in which they are due."""

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import Struct

from services.engagement.domain.customer import Action
from services.engagement.domain.tasks import Standing
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.batch import Connection

_pack = msgspec.msgpack.Encoder().encode


class Entry(Struct, frozen=True):
    """`deed`: claim, hand_back, done, or overdue."""

    deed: str
    by: str
    at: Instant
    note: str = ""
    outcome: str = ""


_entries = msgspec.msgpack.Decoder(list[Entry]).decode


class Task(Struct, frozen=True):
    task_id: str
    profile_id: str
    campaign: str
    title: str
    note: str
    team: str | None
    assignee: str | None
    state: str
    at: Instant
    due_at: Instant
    done_at: Instant | None
    log: list[Entry]

    @property
    def standing(self) -> Standing:
        return Standing(self.state, self.assignee)


class Wanted(Struct, frozen=True):
    """None: any. `late`: those that are overdue at that instant."""

    state: str | None = None
    team: str | None = None
    assignee: str | None = None
    profile_id: str | None = None
    late: Instant | None = None


_TASK = """
SELECT task_id::text, profile_id, campaign, title, note, team, assignee, state, at, due_at, done_at,
  log
FROM task
"""
_LISTED = f"""
{_TASK} WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR team = $2)
  AND ($3::text IS NULL OR assignee = $3) AND ($4::text IS NULL OR profile_id = $4)
  AND ($5::bigint IS NULL OR (state <> 'done' AND due_at <= $5))
  AND (due_at, task_id::text) > ($6, $7)
ORDER BY due_at, task_id::text LIMIT $8
"""


async def add(tx: Connection, tasks: Sequence[tuple[Action, Instant]]) -> None:
    """Actions of kind `task`, each with when it is due. The action's id is the task's, so that what
    is decided twice is one task."""
    if tasks:
        await tx.execute(
            """INSERT INTO task (task_id, profile_id, campaign, title, note, team, assignee, state,
                 at, due_at)
               SELECT id, profile_id, campaign, title, note, team, assignee, 'open', at, due_at
               FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[],
                 $7::text[], $8::bigint[], $9::bigint[])
               AS n(id, profile_id, campaign, title, note, team, assignee, at, due_at)
               ON CONFLICT DO NOTHING""",
            [each.action_id for each, _ in tasks],
            [each.profile_id for each, _ in tasks],
            [each.campaign for each, _ in tasks],
            [str(each.data.get("title", "")) for each, _ in tasks],
            [str(each.data.get("note") or "") for each, _ in tasks],
            [each.data.get("team") for each, _ in tasks],
            [each.data.get("assignee") for each, _ in tasks],
            [each.at for each, _ in tasks],
            [due for _, due in tasks],
        )


async def listed(
    tx: Connection, wanted: Wanted, after: tuple[Instant, str] | None, limit: int
) -> list[Task]:
    """Those due first, after the (due, id) given."""
    due, last = after or (-1, "")
    rows = await tx.fetch(
        _LISTED,
        wanted.state,
        wanted.team,
        wanted.assignee,
        wanted.profile_id,
        wanted.late,
        due,
        last,
        limit,
    )
    return [_task(row) for row in rows]


async def find(tx: Connection, task_id: uuid.UUID, *, lock: bool = False) -> Task | None:
    suffix = " FOR UPDATE" if lock else ""
    row = await tx.fetchrow(f"{_TASK} WHERE task_id = $1{suffix}", task_id)
    return None if row is None else _task(row)


async def save(tx: Connection, task: Task) -> None:
    await tx.execute(
        """UPDATE task SET state = $2, assignee = $3, done_at = $4, log = $5
           WHERE task_id = $1::text::uuid""",
        task.task_id,
        task.state,
        task.assignee,
        task.done_at,
        _pack(task.log),
    )


async def newly_overdue(tx: Connection, now: Instant, limit: int) -> list[Task]:
    """Locked, so that one instance tells of them."""
    rows = await tx.fetch(
        f"""{_TASK} WHERE state <> 'done' AND due_at <= $1 AND overdue_at IS NULL
            ORDER BY due_at, task_id LIMIT $2 FOR UPDATE SKIP LOCKED""",
        now,
        limit,
    )
    return [_task(row) for row in rows]


async def note_overdue(tx: Connection, ids: Sequence[str], now: Instant) -> None:
    await tx.execute(
        "UPDATE task SET overdue_at = $2 WHERE task_id = ANY($1::text[]::uuid[])", list(ids), now
    )


def _task(row: Sequence[Any]) -> Task:
    *rest, log = row
    said = (*rest, _entries(log))
    return Task(*said)
