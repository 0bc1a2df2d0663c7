"""The calls behind which are people and providers: inboxes, tasks, links, surveys, callbacks."""

from collections.abc import Sequence

from fastapi import APIRouter

from services.engagement.callbacks.desk import Desk, Door
from services.engagement.catalogs import Catalogs
from services.engagement.mailroom import Mailroom
from services.engagement.routes.callbacks import callback_routes
from services.engagement.routes.inbox import inbox_routes
from services.engagement.routes.tasks import task_routes
from services.engagement.routes.visits import visit_routes
from services.engagement.taskboard import Taskboard
from services.engagement.telling import Teller
from services.engagement.visits import Visits
from zhiyin.runtime.clock import Clock
from zhiyin.runtime.db import Database


def facing_routes(
    db: Database,
    catalogs: Catalogs,
    teller: Teller,
    door: Door,
    board: Taskboard,
    link_key: bytes,
    clock: Clock,
) -> Sequence[APIRouter]:
    return [
        inbox_routes(db, Mailroom(db, teller, clock), clock),
        task_routes(db, board, clock),
        callback_routes(Desk(db, catalogs, teller, door, clock)),
        visit_routes(Visits(db, teller, link_key, clock)),
    ]
