"""What a tag rests on: when the events its rule reads happened, and what one of them said."""

from collections.abc import Collection
from typing import Final

import msgspec
from msgspec import Struct

from zhiyin.contracts.heard import TEXT_TYPES, Heard
from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Facts
from zhiyin.rules import Person

_EVENTS: Final = "events."
_MOST_INSTANTS: Final = 100


class _Words(Struct):
    heard: Heard = Heard()


_words: Final = msgspec.msgpack.Decoder(_Words)


def instants_of(
    facts: Facts, reads: Collection[str], after: Instant, until: Instant
) -> list[Instant]:
    """When a rule of these dependency names may have begun to match, newest first: each kept event
    it reads in (after, until], and the person's newest of all."""
    types = {name.removeprefix(_EVENTS) for name in reads if name.startswith(_EVENTS)}
    families = {event_type.partition(".")[0] for event_type in types}
    found = {
        kept.at
        for family in families
        for kept in facts.kept.get(family, ())
        if kept.type in types and after < kept.at <= until
    }
    if after < facts.newest <= until:
        found.add(facts.newest)
    return sorted(found, reverse=True)[:_MOST_INSTANTS]


def quote_of(person: Person, evidence: Collection[str]) -> str:
    """What the newest of these events that has words says; "" without one."""
    wanted = set(evidence)
    said = [
        (kept.at, kept.event_id, _words.decode(kept.properties).heard.quote)
        for event_type in TEXT_TYPES
        for kept in person.kept(event_type)
        if kept.event_id in wanted
    ]
    return max((each for each in said if each[2]), default=(0, "", ""))[2]
