"""What comes next for somebody on their way, and when."""

from collections.abc import Mapping
from typing import Any, Final

from services.engagement.domain.customer import HELD_BACK, Run
from services.engagement.domain.journey import (
    CouponNode,
    IfNode,
    Journey,
    MessageNode,
    Node,
    Path,
    PointsNode,
    SplitNode,
    TagNode,
    TaskNode,
    WaitForNode,
    WaitNode,
    WaitUntilNode,
    WebhookNode,
)
from zhiyin.contracts.instants import rfc3339

Next = dict[str, Any]

# What a wait with a message held back is called in the ledger.
HELD_REASONS: Final[Mapping[str, str]] = {
    "quiet": "quiet_hours",
    "cap": "cap",
    "slot": "arbitration",
    "hour": "best_hour",
}
_KINDS: Final[Mapping[type[Node], str]] = {
    CouponNode: "coupon",
    MessageNode: "message",
    WebhookNode: "webhook",
    PointsNode: "points",
    TagNode: "tag",
    TaskNode: "task",
    WaitNode: "wait",
    WaitUntilNode: "wait",
    WaitForNode: "wait_for",
    IfNode: "if",
    SplitNode: "split",
}


def outlook(run: Run, journey: Journey) -> list[Next]:
    """Every way in which the journey may go on: `on` what, `at` when, to which `step`; a step null
    is the end. Nothing for a run that is over."""
    if not run.inside or run.step is None:
        return []
    if run.state == "held" or run.waiting is None:
        return [_next("launch", None, run.step, journey)]
    at, node = rfc3339(run.waiting.until), journey.nodes.get(run.step)
    if run.waiting.on in HELD_BACK:
        return [_next(HELD_REASONS[run.waiting.on], at, run.step, journey)]
    match node:
        case WaitNode(after=after) | WaitUntilNode(after=after):
            return [_next("time", at, after, journey)]
        case WaitForNode(match=match, then=then, otherwise=otherwise):
            awaited = {**_next("event", None, then, journey), "event": match.event}
            return [awaited, _next("timeout", at, otherwise, journey)]
        case _:
            return []


def _next(on: str, at: str | None, step: Path | None, journey: Journey) -> Next:
    node = None if step is None else journey.nodes.get(step)
    kind = "end" if node is None else _KINDS[type(node)]
    return {"on": on, "at": at, "step": step, "kind": kind}
