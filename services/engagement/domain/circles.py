"""Campaigns that would set themselves off again, by themselves or through others."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from services.engagement.domain.faults import Fault
from services.engagement.domain.references import placed_steps, tags_removed, tags_set
from zhiyin.contracts.campaigns import AUTO_CHANNEL, CampaignSpec, EventTrigger, TagAddedTrigger


class Effect(Struct, frozen=True):
    """Something a step brings about that campaigns may begin with. `about`: the tag, or channel."""

    pointer: str
    event: str
    about: str


def circles(spec: CampaignSpec, others: Iterable[CampaignSpec]) -> Iterator[Fault]:
    """One fault per step that leads back to the campaign; `others`: those that have not ended."""
    known = {each.key: each for each in others} | {spec.key: spec}
    for effect in _effects(spec):
        if (way := _way_back(spec, effect, known)) is not None:
            message = f"sets the campaign off again: {' → '.join(way)}"
            yield Fault(effect.pointer, "cycle", message)


def _way_back(
    spec: CampaignSpec, effect: Effect, known: Mapping[str, CampaignSpec]
) -> list[str] | None:
    """The campaigns from this one's step back to it, the shortest way."""
    ways = [[spec.key, each] for each in known if _begins_with(known[each], effect)]
    seen: set[str] = set()
    while ways:
        way = ways.pop(0)
        last = way[-1]
        if last == spec.key:
            return way
        if last not in seen:
            seen.add(last)
            ways += [
                [*way, each]
                for following in _effects(known[last])
                for each in known
                if _begins_with(known[each], following)
            ]
    return None


def _effects(spec: CampaignSpec) -> Iterator[Effect]:
    for set_ in tags_set(spec):
        yield Effect(set_.pointer, "customer.tagged", set_.name)
    for removed in tags_removed(spec):
        yield Effect(removed.pointer, "customer.untagged", removed.name)
    for pointer, step in placed_steps(spec.steps):
        if step.message is not None:
            yield Effect(f"{pointer}/message", "engagement.delivered", step.message.channel)


def _begins_with(spec: CampaignSpec, effect: Effect) -> bool:
    match spec.trigger:
        case TagAddedTrigger(tag=tag):
            return effect.event == "customer.tagged" and effect.about == tag
        case EventTrigger(type=type_, where=where, first=False):
            name = "channel" if effect.event == "engagement.delivered" else "tag"
            return type_ == effect.event and _may_be(where.get(name), effect.about)
        case _:
            return False


def _may_be(wanted: Any, about: str) -> bool:
    """Whether a condition on the tag or channel leaves room for this one."""
    if wanted is None or about == AUTO_CHANNEL or isinstance(wanted, dict):
        return True
    return about in wanted if isinstance(wanted, list) else bool(about == wanted)
