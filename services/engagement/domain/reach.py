"""Steps nobody ever comes to, and journeys nobody comes to the end of."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Final

import msgspec

from services.engagement.domain.faults import LONGEST, Fault
from services.engagement.domain.journey import (
    Journey,
    Node,
    Path,
    WaitForNode,
    WaitNode,
    WaitUntilNode,
    onward,
)
from services.engagement.domain.references import placed_steps
from zhiyin.contracts.campaigns import CampaignSpec, StepSpec
from zhiyin.contracts.instants import DAY, Duration

Assumed = Mapping[bytes, bool]
_A_WEEKDAY_AWAY: Final[Duration] = 7 * DAY
_encode: Final = msgspec.json.Encoder(order="deterministic").encode


def unreachable(spec: CampaignSpec) -> Iterator[Fault]:
    """Branches of a condition whose answer is settled already: by `where`, or by the same condition
    around it, with nothing in between that may take time in which it might have changed."""
    yield from _in(spec.steps, "/steps", {} if spec.where is None else {_encode(spec.where): True})


def _in(steps: Sequence[StepSpec], pointer: str, assumed: Assumed) -> Iterator[Fault]:
    for index, step in enumerate(steps):
        here = f"{pointer}/{index}"
        yield from _branches(step, here, {} if step.wait_for is not None else assumed)
        if any(_takes_time(each) for _, each in placed_steps([step])):
            assumed = {}


def _takes_time(step: StepSpec) -> bool:
    """A message may be held back until the morning."""
    return bool(step.wait or step.wait_for or step.message)


def _branches(step: StepSpec, here: str, assumed: Assumed) -> Iterator[Fault]:
    for number, arm in enumerate(step.split or ()):
        yield from _in(arm.steps, f"{here}/split/{number}/steps", assumed)
    holds, fails = assumed, assumed
    if step.if_ is not None:
        condition = _encode(step.if_)
        if condition in assumed:
            name, dead = ("else", step.else_) if assumed[condition] else ("then", step.then)
            if dead:
                yield Fault(f"{here}/{name}", "unreachable", "the condition is settled before")
        holds, fails = {**assumed, condition: True}, {**assumed, condition: False}
    yield from _in(step.then, f"{here}/then", holds)
    yield from _in(step.else_, f"{here}/else", fails)


def too_long(journey: Journey) -> Iterator[Fault]:
    """A journey that may take longer than anything else is let take."""

    @cache
    def rest(path: Path | None) -> Duration:
        node = None if path is None else journey.nodes.get(path)
        return 0 if node is None else _longest(node) + max(map(rest, onward(node)))

    if rest(journey.first) > LONGEST:
        yield Fault("/steps", "too_long", f"may take longer than {LONGEST // DAY} days in all")


def _longest(node: Node) -> Duration:
    match node:
        case WaitNode(length=length):
            return length
        case WaitUntilNode(until=until):
            return until.after + _A_WEEKDAY_AWAY
        case WaitForNode(timeout=timeout):
            return timeout
        case _:
            return 0
