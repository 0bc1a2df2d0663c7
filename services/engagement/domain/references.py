"""What of others a campaign speaks of, each with its place: segments, tags; and what it does."""

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct

from zhiyin.contracts.campaigns import (
    BroadcastTrigger,
    CampaignSpec,
    ScheduleTrigger,
    SegmentEnteredTrigger,
    SegmentLeftTrigger,
    StepSpec,
    TagAddedTrigger,
    TagStep,
)


class Named(Struct, frozen=True):
    pointer: str
    name: str


def placed_steps(
    steps: Sequence[StepSpec], pointer: str = "/steps"
) -> Iterator[tuple[str, StepSpec]]:
    """Every step with its pointer, from the outside in."""
    for index, step in enumerate(steps):
        here = f"{pointer}/{index}"
        yield here, step
        yield from placed_steps(step.then, f"{here}/then")
        yield from placed_steps(step.else_, f"{here}/else")
        for number, arm in enumerate(step.split or ()):
            yield from placed_steps(arm.steps, f"{here}/split/{number}/steps")


def segments_named(spec: CampaignSpec) -> Iterator[Named]:
    match spec.trigger:
        case (
            SegmentEnteredTrigger(segment=segment)
            | SegmentLeftTrigger(segment=segment)
            | ScheduleTrigger(segment=segment)
            | BroadcastTrigger(segment=segment)
        ):
            yield Named("/trigger/segment", segment)
        case _:
            pass
    yield from _in_rules(spec, "segment")


def tags_named(spec: CampaignSpec) -> Iterator[Named]:
    """Those that are read; what a campaign sets itself need not be there before."""
    if isinstance(spec.trigger, TagAddedTrigger):
        yield Named("/trigger/tag", spec.trigger.tag)
    yield from _in_rules(spec, "tag")


def tags_set(spec: CampaignSpec) -> Iterator[Named]:
    for pointer, step in placed_steps(spec.steps):
        tag = step.tag
        added = tag.add if isinstance(tag, TagStep) else tag
        if added is not None:
            yield Named(f"{pointer}/tag", added)


def tags_removed(spec: CampaignSpec) -> Iterator[Named]:
    for pointer, step in placed_steps(spec.steps):
        if isinstance(step.tag, TagStep) and step.tag.remove is not None:
            yield Named(f"{pointer}/tag", step.tag.remove)


def _in_rules(spec: CampaignSpec, clause: str) -> Iterator[Named]:
    yield from _in_tree(spec.where, "/where", clause)
    for pointer, step in placed_steps(spec.steps):
        yield from _in_tree(step.if_, f"{pointer}/if", clause)


def _in_tree(tree: Any, pointer: str, clause: str) -> Iterator[Named]:
    """Clauses such as `{"segment": key}` in a rule's tree, however deep."""
    if isinstance(tree, list):
        for index, each in enumerate(tree):
            yield from _in_tree(each, f"{pointer}/{index}", clause)
    elif isinstance(tree, dict):
        if tree.keys() == {clause} and isinstance(tree[clause], str):
            yield Named(f"{pointer}/{clause}", tree[clause])
            return
        for name in ("all", "any", "not"):
            yield from _in_tree(tree.get(name), f"{pointer}/{name}", clause)
