"""A campaign's steps as a graph: every step knows what follows it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.engagement.domain.match import Match
from services.engagement.domain.templates import MessageTemplate
from services.engagement.domain.until import Until
from zhiyin.contracts.instants import Duration
from zhiyin.rules import Compiled

Path = str  # where a step stands in the spec: `0`, `2.else.0`, `3.split.1.0`


@dataclass(frozen=True, slots=True)
class CouponNode:
    path: Path
    template: str
    after: Path | None


@dataclass(frozen=True, slots=True)
class MessageNode:
    path: Path
    channel: str
    template: str
    after: Path | None
    best_hour: bool = False


@dataclass(frozen=True, slots=True)
class WebhookNode:
    path: Path
    channel: str
    data: Mapping[str, Any]
    after: Path | None


@dataclass(frozen=True, slots=True)
class PointsNode:
    path: Path
    amount: int
    reason: str
    after: Path | None


@dataclass(frozen=True, slots=True)
class TagNode:
    """`lasts` None: until somebody takes it away."""

    path: Path
    tag: str
    after: Path | None
    removes: bool = False
    lasts: Duration | None = None


@dataclass(frozen=True, slots=True)
class TaskNode:
    """The title is the subject of `texts`, the note its body."""

    path: Path
    texts: MessageTemplate
    assignee: str | None
    team: str | None
    due: Duration
    after: Path | None


@dataclass(frozen=True, slots=True)
class WaitNode:
    path: Path
    length: Duration
    after: Path | None


@dataclass(frozen=True, slots=True)
class WaitUntilNode:
    path: Path
    until: Until
    after: Path | None


@dataclass(frozen=True, slots=True)
class WaitForNode:
    path: Path
    match: Match
    timeout: Duration
    then: Path | None
    otherwise: Path | None


@dataclass(frozen=True, slots=True)
class IfNode:
    path: Path
    rule: Compiled
    then: Path | None
    otherwise: Path | None


@dataclass(frozen=True, slots=True)
class SplitNode:
    path: Path
    weights: tuple[int, ...]
    arms: tuple[Path | None, ...]


Act = CouponNode | MessageNode | WebhookNode | PointsNode | TagNode | TaskNode
Node = Act | WaitNode | WaitUntilNode | WaitForNode | IfNode | SplitNode


def onward(node: Node) -> tuple[Path | None, ...]:
    """Every step that may follow; None is the end."""
    match node:
        case WaitForNode(then=then, otherwise=otherwise) | IfNode(then=then, otherwise=otherwise):
            return then, otherwise
        case SplitNode(arms=arms):
            return arms
        case _:
            return (node.after,)


@dataclass(frozen=True, slots=True)
class Journey:
    first: Path
    nodes: Mapping[Path, Node]

    @property
    def messages(self) -> tuple[MessageNode, ...]:
        return tuple(node for node in self.nodes.values() if isinstance(node, MessageNode))

    @property
    def coupons(self) -> frozenset[str]:
        return frozenset(
            node.template for node in self.nodes.values() if isinstance(node, CouponNode)
        )

    def opening(self) -> tuple[CouponNode | MessageNode, ...]:
        """The coupons and messages that follow at once on entering, before any wait or branch."""
        found: list[CouponNode | MessageNode] = []
        path: Path | None = self.first
        while path is not None:
            node = self.nodes[path]
            match node:
                case CouponNode() | MessageNode():
                    found.append(node)
                    path = node.after
                case WebhookNode() | PointsNode() | TagNode() | TaskNode():
                    path = node.after
                case WaitNode() | WaitUntilNode() | WaitForNode() | IfNode() | SplitNode():
                    path = None
        return tuple(found)
