"""Tags set and taken away by hand. They stand above rules: a tag taken away by hand stays away,
until a hand sets it again."""

from typing import Final

from services.profile.domain.person_event import PersonEvent
from zhiyin.contracts.instants import Instant, instant
from zhiyin.contracts.profiles import Tag
from zhiyin.contracts.properties.customer import CustomerTagged, CustomerUntagged

MANUAL: Final = "manual:"
Tags = dict[str, Tag]


def is_manual(tag: Tag) -> bool:
    return tag.source.startswith(MANUAL)


def is_taken_away(tag: Tag) -> bool:
    """Whether this entry says that the tag is *not* there: it ends as it begins."""
    return is_manual(tag) and tag.until is not None and tag.until <= tag.since


def after_hand(tags: Tags, event: PersonEvent) -> Tags:
    """The newest (at, event_id) about a tag wins, whenever it arrives."""
    match event.properties:
        case CustomerTagged(tag=name, until=until, actor=actor):
            ends = None if until is None else instant(until)
        case CustomerUntagged(tag=name, actor=actor):
            ends = event.at
        case _:
            return tags
    known = tags.get(name)
    if known is not None and is_manual(known) and _place(known) >= (event.at, event.event_id):
        return tags
    return {**tags, name: Tag(event.at, ends, f"{MANUAL}{actor or ''}", 0, (event.event_id,))}


def later_hand(one: Tag | None, other: Tag | None) -> Tag | None:
    """Of what two people merged into one have, what a hand said last."""
    manual = [tag for tag in (one, other) if tag is not None and is_manual(tag)]
    return max(manual, key=_place, default=None)


def _place(tag: Tag) -> tuple[Instant, str]:
    return (tag.since, tag.evidence[0] if tag.evidence else "")
