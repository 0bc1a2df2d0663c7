"""From posted steps to a journey: every step checked, what follows what worked out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from services.engagement.domain.conditions import Conditions
from services.engagement.domain.faults import Faults
from services.engagement.domain.journey import (
    CouponNode,
    IfNode,
    Journey,
    MessageNode,
    Node,
    Path,
    SplitNode,
    TagNode,
    WaitForNode,
    WaitNode,
    WebhookNode,
)
from zhiyin.contracts.campaigns import AUTO_CHANNEL, STEP_KINDS, EventMatch, StepSpec

MOST_STEPS: Final = 200
DEEPEST: Final = 10
_NOT_YET: Final = frozenset({"points", "task"})
_BRANCHING: Final = frozenset({"wait_for", "if"})


@dataclass(frozen=True, slots=True)
class Known:
    """What a campaign may refer to: coupon and message templates, channels and their kinds.
    `anything`: for a campaign stored already, whose references are looked up when it runs."""

    coupons: frozenset[str]
    templates: frozenset[str]
    channels: Mapping[str, str]
    anything: bool = False


class Planner:
    """Walks the steps of one campaign; faults go to `conditions.faults`."""

    def __init__(self, conditions: Conditions, known: Known, exit_on: EventMatch | None) -> None:
        self._conditions = conditions
        self._faults: Faults = conditions.faults
        self._known = known
        self._exit_on = exit_on
        self._nodes: dict[Path, Node] = {}

    def journey(self, steps: Sequence[StepSpec]) -> Journey:
        self._chain(steps, "/steps", "", None, depth=1)
        if len(self._nodes) > MOST_STEPS:
            self._faults.add("/steps", "too_many_steps", f"at most {MOST_STEPS} steps")
        return Journey("0", self._nodes)

    def _chain(
        self, steps: Sequence[StepSpec], pointer: str, prefix: str, after: Path | None, depth: int
    ) -> Path | None:
        """Plan a list of steps followed by `after`; returns where it begins."""
        if depth > DEEPEST:
            self._faults.add(pointer, "too_deep", f"at most {DEEPEST} levels of steps")
            return after
        for index, step in enumerate(steps):
            following = f"{prefix}{index + 1}" if index + 1 < len(steps) else after
            self._step(step, f"{pointer}/{index}", f"{prefix}{index}", following, depth)
        return f"{prefix}0" if steps else after

    def _step(
        self, step: StepSpec, pointer: str, path: Path, after: Path | None, depth: int
    ) -> None:
        kinds = [kind for kind in STEP_KINDS if _part(step, kind) is not None]
        if len(kinds) != 1:
            given = ", ".join(kinds) or "none"
            self._faults.add(pointer, "one_kind", f"a step is one of its kinds, not {given}")
            return
        kind = kinds[0]
        if kind in _NOT_YET:
            self._faults.add(
                f"{pointer}/{kind}", "not_yet_supported", f"{kind} steps do not work yet"
            )
            return
        self._leftovers(step, kind, pointer)
        if (node := self._node(step, pointer, path, after, depth)) is not None:
            self._nodes[path] = node

    def _leftovers(self, step: StepSpec, kind: str, pointer: str) -> None:
        if step.timeout is not None and kind != "wait_for":
            self._faults.add(f"{pointer}/timeout", "not_allowed", f"{kind} takes no timeout")
        if kind not in _BRANCHING:
            for name, steps in (("then", step.then), ("else", step.else_)):
                if steps:
                    self._faults.add(f"{pointer}/{name}", "not_allowed", f"{kind} does not branch")

    def _node(
        self, step: StepSpec, pointer: str, path: Path, after: Path | None, depth: int
    ) -> Node | None:
        if step.coupon is not None:
            self._refer(f"{pointer}/coupon", step.coupon, self._known.coupons, "coupon template")
            return CouponNode(path, step.coupon, after)
        if step.message is not None:
            return self._message(step, pointer, path, after)
        if step.webhook is not None:
            return self._webhook(step, pointer, path, after)
        if step.tag is not None:
            return TagNode(path, step.tag, after)
        if step.wait is not None:
            return WaitNode(path, self._faults.duration(f"{pointer}/wait", step.wait), after)
        if step.wait_for is not None:
            return self._wait_for(step, step.wait_for, pointer, path, after, depth)
        if step.split is not None:
            return self._split(step, pointer, path, after, depth)
        return self._if(step, pointer, path, after, depth)

    def _message(
        self, step: StepSpec, pointer: str, path: Path, after: Path | None
    ) -> MessageNode | None:
        message = step.message
        if message is None:
            return None
        self._refer(
            f"{pointer}/message/template", message.template, self._known.templates, "template"
        )
        if message.channel != AUTO_CHANNEL:
            names = frozenset(self._known.channels)
            self._refer(f"{pointer}/message/channel", message.channel, names, "channel")
        return MessageNode(path, message.channel, message.template, after)

    def _webhook(
        self, step: StepSpec, pointer: str, path: Path, after: Path | None
    ) -> WebhookNode | None:
        webhook = step.webhook
        if webhook is None:
            return None
        kind = self._known.channels.get(webhook.channel)
        if kind is None:
            names = frozenset(self._known.channels)
            self._refer(f"{pointer}/webhook/channel", webhook.channel, names, "channel")
        elif kind not in ("webhook", "log") and not self._known.anything:
            self._faults.add(
                f"{pointer}/webhook/channel", "wrong_kind", f"is of kind {kind}, not webhook"
            )
        return WebhookNode(path, webhook.channel, webhook.data, after)

    def _wait_for(
        self,
        step: StepSpec,
        wanted: EventMatch,
        pointer: str,
        path: Path,
        after: Path | None,
        depth: int,
    ) -> WaitForNode:
        if step.timeout is None:
            self._faults.add(f"{pointer}/timeout", "required", "wait_for needs a timeout")
        timeout = self._faults.duration(f"{pointer}/timeout", step.timeout or "1d")
        ends = self._exit_on
        if step.then and ends is not None and ends.event == wanted.event and not ends.where:
            self._faults.add(
                f"{pointer}/then", "unreachable", f"exit_on ends the journey on {ends.event}"
            )
        return WaitForNode(
            path,
            self._conditions.match(
                f"{pointer}/wait_for", wanted.event, wanted.where, "event", begun=True
            ),
            timeout,
            self._chain(step.then, f"{pointer}/then", f"{path}.then.", after, depth + 1),
            self._chain(step.else_, f"{pointer}/else", f"{path}.else.", after, depth + 1),
        )

    def _if(
        self, step: StepSpec, pointer: str, path: Path, after: Path | None, depth: int
    ) -> IfNode | None:
        if not step.then and not step.else_:
            self._faults.add(pointer, "empty_branch", "if needs steps in then or else")
        rule = self._conditions.rule(f"{pointer}/if", step.if_)
        then = self._chain(step.then, f"{pointer}/then", f"{path}.then.", after, depth + 1)
        otherwise = self._chain(step.else_, f"{pointer}/else", f"{path}.else.", after, depth + 1)
        return None if rule is None else IfNode(path, rule, then, otherwise)

    def _split(
        self, step: StepSpec, pointer: str, path: Path, after: Path | None, depth: int
    ) -> SplitNode:
        arms = step.split or []
        if not 2 <= len(arms) <= 20:
            self._faults.add(f"{pointer}/split", "bad_split", "a split has 2 to 20 arms")
        targets = tuple(
            self._chain(
                arm.steps,
                f"{pointer}/split/{index}/steps",
                f"{path}.split.{index}.",
                after,
                depth + 1,
            )
            for index, arm in enumerate(arms)
        )
        return SplitNode(path, tuple(arm.weight for arm in arms), targets)

    def _refer(self, pointer: str, key: str, known: frozenset[str], what: str) -> None:
        if key not in known and not self._known.anything:
            self._faults.add(pointer, "unknown_reference", f"no {what} has the key {key!r}")


def _part(step: StepSpec, kind: str) -> object:
    return getattr(step, "if_" if kind == "if" else kind)
