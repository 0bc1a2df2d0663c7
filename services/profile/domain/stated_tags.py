"""Tags that somebody stated rather than a rule found: set and taken away by hand, or brought along
from another system by an event. They stand above rules: a tag taken away stays away until it is
stated again. A hand's word stands above an import's."""

from datetime import datetime
from typing import Final

from services.profile.domain.person_event import PersonEvent
from zhiyin.contracts.instants import Instant, instant
from zhiyin.contracts.profiles import Tag
from zhiyin.contracts.properties.customer import CustomerTagged, CustomerUntagged, CustomerUpdated

MANUAL: Final = "manual:"
IMPORT: Final = "import:"
Tags = dict[str, Tag]


def is_stated(tag: Tag) -> bool:
    return tag.source.startswith((MANUAL, IMPORT))


def is_taken_away(tag: Tag) -> bool:
    """Whether this entry says that the tag is *not* there: it ends as it begins."""
    return tag.until is not None and tag.until <= tag.since and is_stated(tag)


def after_statements(tags: Tags, event: PersonEvent) -> Tags:
    """The newest (at, event_id) about a tag wins, whenever it arrives; `tags` itself where the
    event says nothing."""
    match event.properties:
        case CustomerTagged(tag=name, until=until, actor=actor):
            ends = None if until is None else instant(until)
            return _stated(tags, name, _tag(event, ends, f"{MANUAL}{actor or ''}"))
        case CustomerUntagged(tag=name, actor=actor):
            return _stated(tags, name, _tag(event, event.at, f"{MANUAL}{actor or ''}"))
        case CustomerUpdated(tags=imported) if imported:
            for name, said in imported.items():
                tags = _stated(tags, name, _tag(event, _end(said, event), IMPORT + event.source))
            return tags
        case _:
            return tags


def later_word(one: Tag | None, other: Tag | None) -> Tag | None:
    """Of what two people merged into one have, what was stated last."""
    stated = [tag for tag in (one, other) if tag is not None and is_stated(tag)]
    return max(stated, key=_place, default=None)


def _end(said: bool | datetime, event: PersonEvent) -> Instant | None:
    if isinstance(said, bool):
        return None if said else event.at
    return instant(said)


def _tag(event: PersonEvent, until: Instant | None, source: str) -> Tag:
    return Tag(event.at, until, source, 0, (event.event_id,))


def _stated(tags: Tags, name: str, tag: Tag) -> Tags:
    known = tags.get(name)
    if known is not None and is_stated(known) and _place(known) >= _place(tag):
        return tags
    return {**tags, name: tag}


def _place(tag: Tag) -> tuple[bool, Instant, str]:
    return (tag.source.startswith(MANUAL), tag.since, tag.evidence[0] if tag.evidence else "")
