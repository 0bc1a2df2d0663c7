"""Staff at work on their tasks; what comes of it is an event that journeys can wait for."""

import asyncio
import uuid
from typing import Any, Final

import structlog
from msgspec.structs import replace

from services.engagement.domain.news import about
from services.engagement.domain.tasks import DONE, Deed, Refused, after
from services.engagement.refusals import no_such
from services.engagement.store import tasks
from services.engagement.store.tasks import Entry, Task
from services.engagement.telling import Teller
from zhiyin.contracts.channels import TaskDeed
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import Instant
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database
from zhiyin.runtime.outages import OUTAGES
from zhiyin.runtime.problems import Problem

_log = structlog.get_logger(__name__)
_EVERY_SECONDS: Final = 5.0
_AT_ONCE: Final = 200


class Taskboard:
    def __init__(self, db: Database, teller: Teller, clock: Clock) -> None:
        self._db = db
        self._teller = teller
        self._clock = clock

    async def do(self, task_id: uuid.UUID, deed: Deed, said: TaskDeed) -> Task:
        """Raises Problem: 404, or 409 when somebody else has it."""
        now = self._clock()
        async with self._db.transaction() as tx:
            task = await tasks.find(tx, task_id, lock=True)
            if task is None:
                raise no_such("task", str(task_id))
            standing = after(task.standing, deed, said.by)
            if isinstance(standing, Refused):
                raise Problem(409, standing.code, standing.message)
            if standing == task.standing:
                return task
            changed = _changed(task, standing.state, standing.assignee, deed, said, now)
            if changed.state == DONE:
                # Told before it is written down: told twice it counts once, and never is not told.
                await self._teller.tell([_event(changed, "done", now, outcome=said.outcome)])
            await tasks.save(tx, changed)
            return changed

    async def run(self) -> None:
        """Tell of every task that has come to be overdue, once."""
        while True:
            try:
                while await self.tell_overdue():
                    pass
            except OUTAGES as error:
                _log.warning("overdue_tasks_wait", error=repr(error))
            await asyncio.sleep(_EVERY_SECONDS)

    async def tell_overdue(self) -> int:
        now = self._clock()
        async with self._db.transaction() as tx:
            late = await tasks.newly_overdue(tx, now, _AT_ONCE)
            await self._teller.tell([_event(each, "overdue", each.due_at) for each in late])
            await tasks.note_overdue(tx, [each.task_id for each in late], now)
        return len(late)


def _changed(
    task: Task, state: str, assignee: str | None, deed: Deed, said: TaskDeed, now: Instant
) -> Task:
    entry = Entry(deed, said.by, now, said.note, said.outcome)
    done_at = now if state == DONE else None
    return replace(task, state=state, assignee=assignee, done_at=done_at, log=[*task.log, entry])


def _event(task: Task, what: str, at: Instant, **more: Any) -> Event:
    properties = {
        "task_id": task.task_id,
        "action_id": task.task_id,
        "campaign": task.campaign,
        "team": task.team,
        "assignee": task.assignee,
        **more,
    }
    return about(task.profile_id, f"{task.task_id}:{what}", f"custom.task_{what}", properties, at)
