"""What journeys give staff to do."""

from typing import Any, Final

from services.gateway.calls import PAGE, Call, Query
from services.gateway.domain.scopes import PROFILES_READ, PROFILES_WRITE
from services.gateway.upstreams import ENGAGEMENT
from zhiyin.contracts.channels import TaskDeed

_WANTED: Final = (
    Query(
        "state", "open, claimed or done", {"type": "string", "enum": ["open", "claimed", "done"]}
    ),
    Query("team", "whose team's"),
    Query("assignee", "whose"),
    Query("profile_id", "about whom"),
    Query("overdue", "only those that are late", {"type": "boolean"}),
)
_TASK: Final[dict[str, Any]] = {
    "task_id": "5f0c…",
    "profile_id": "01975d3e…",
    "campaign": "vip-care",
    "title": "致电王女士",
    "note": "上次的阿胶糕吃完了吗",
    "team": "hangzhou-1",
    "assignee": None,
    "state": "open",
    "at": "2026-11-11T01:00:00Z",
    "due_at": "2026-11-12T01:00:00Z",
    "done_at": None,
    "overdue": False,
    "log": [],
}


def _call(method: str, path: str, name: str, summary: str, **more: Any) -> Call:
    return Call(
        method=method,
        path=f"/v1/tasks{path}",
        name=f"tasks.{name}",
        summary=summary,
        tag="tasks",
        service=ENGAGEMENT,
        scope=PROFILES_READ if method == "GET" else PROFILES_WRITE,
        **more,
    )


def _deed(path: str, name: str, summary: str, **said: str) -> Call:
    example = {"by": "xiaolin", **said}
    return _call(
        "POST", f"/{{task_id}}/{path}", name, summary,
        body=TaskDeed, example=example, answer_example=_TASK,
    )  # fmt: skip


CALLS: Final = (
    _call(
        "GET", "", "list", "Tasks of staff, those due first", query=(*PAGE, *_WANTED),
        answer_example={"items": [_TASK], "next_cursor": None},
    ),
    _call("GET", "/{task_id}", "show", "One task and what was done to it", answer_example=_TASK),
    _deed("claim", "claim", "I will do it; 409 if somebody else will"),
    _deed("hand-back", "hand_back", "I cannot do it after all", note="顾客要求换人"),
    _deed("done", "done", "It is done: `custom.task_done`", outcome="reached", note="已约周末到店"),
)  # fmt: skip
