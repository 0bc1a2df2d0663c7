"""From posted steps to a journey: every step checked, what follows what worked out."""

from collections.abc import Sequence
from typing import Final

from services.engagement.domain.acts import Acts, Known
from services.engagement.domain.conditions import Conditions
from services.engagement.domain.faults import Faults
from services.engagement.domain.journey import (
    IfNode,
    Journey,
    Node,
    Path,
    SplitNode,
    WaitForNode,
)
from zhiyin.contracts.campaigns import STEP_KINDS, EventMatch, StepSpec

MOST_STEPS: Final = 200
DEEPEST: Final = 10
_BRANCHING: Final = frozenset({"wait_for", "if"})


class Planner:
    """Walks the steps of one campaign; faults go to `conditions.faults`."""

    def __init__(self, conditions: Conditions, known: Known, exit_on: EventMatch | None) -> None:
        self._conditions = conditions
        self._faults: Faults = conditions.faults
        self._acts = Acts(conditions.faults, known)
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
        act = self._acts.node(step, pointer, path, after)
        if act is not None:
            return act
        if step.wait_for is not None:
            return self._wait_for(step, step.wait_for, pointer, path, after, depth)
        if step.split is not None:
            return self._split(step, pointer, path, after, depth)
        return self._if(step, pointer, path, after, depth)

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


def _part(step: StepSpec, kind: str) -> object:
    return getattr(step, "if_" if kind == "if" else kind)
