"""What a person has that rules ask for by name: values, tags, events with a certain property.

A family is one such question; its marks are the answers a person gives. A mark may stand for
several values (the number 5 and the text that spells it), never the other way round.
"""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

import msgspec

from zhiyin.contracts.instants import Instant
from zhiyin.contracts.profiles import Kept
from zhiyin.rules.compiling.values import changing, steady
from zhiyin.rules.loose import many
from zhiyin.rules.numbers import exact
from zhiyin.rules.options import Options
from zhiyin.rules.paths import FactPath, locate
from zhiyin.rules.person import Person
from zhiyin.rules.tree import Condition
from zhiyin.rules.where import has_items, items_of

Mark = Hashable
Marks = Callable[[Person, Instant], Iterable[Mark]]
Family = tuple[str, ...]
"""`("tags",)`, `("fact", path)`, `("events",)`, `("events", type, property)` and the like."""

# Of whoever has a value at all, whatever it is.
PRESENT: Final = ("present",)
EQUALITY: Final = frozenset({"eq", "in", "any_of"})
_BEGINS_NUMBER: Final = frozenset("+-0123456789")
_LISTS: Final = (list, tuple, frozenset)
_COMPLETED: Final = "purchase.completed"
_decode: Final = msgspec.msgpack.Decoder(dict[str, Any]).decode


def mark_of(value: Any) -> Mark:
    """Equal for whatever a rule may take for equal."""
    if isinstance(value, str):
        # Most texts are no numbers, which their first character tells.
        number = exact(value) if value[:1] in _BEGINS_NUMBER else None
        return value if number is None else number
    number = None if isinstance(value, bool) else exact(value)
    return repr(value) if number is None else number


def marks_of(values: Any) -> frozenset[Mark]:
    """Of a rule's value or values."""
    return frozenset(map(mark_of, many(values)))


def comparable(values: Any) -> bool:
    """Whether the marks of these values say all that comparing with them does."""
    return all(isinstance(each, (str, bool)) or exact(each) is not None for each in many(values))


def marks_asked(condition: Condition) -> frozenset[Mark] | None:
    """One of which a property must have to meet a condition; None where marks do not tell."""
    if "." in condition.property:
        return None
    if condition.op == "exists":
        # Of events that are only counted the category is known by its name alone.
        return None if condition.property == "category" else frozenset({PRESENT})
    asked = condition.op in EQUALITY and comparable(condition.value)
    return marks_of(condition.value) if asked else None


def marks_reader(family: Family, options: Options) -> Marks:
    match family:
        case ("fact", path):
            return _of_path(_known(path), options)
        case ("events", event_type, name):
            return _of_events(event_type, name)
        case _:
            return _ROOTS[family]


def events_by_mark(person: Person, event_type: str, name: str) -> Mapping[Mark, Sequence[int]]:
    """A property's marks, those of items among them → the places of the events that have it among
    the kept ones of the type, ascending."""
    return person.once(("by mark", event_type, name), lambda each: _by_mark(each, event_type, name))


def _by_mark(person: Person, event_type: str, name: str) -> Mapping[Mark, Sequence[int]]:
    found: defaultdict[Mark, list[int]] = defaultdict(list)
    with_items = has_items(event_type)
    for place, properties in enumerate(person.properties(event_type)):
        for mark in _marks_in(properties, name, with_items=with_items):
            found[mark].append(place)
    return found


def marks_in(event: Kept, name: str) -> set[Mark]:
    """A property's marks in one event."""
    return _marks_in(_decode(event.properties), name, with_items=has_items(event.type))


def _marks_in(properties: Mapping[str, Any], name: str, *, with_items: bool) -> set[Mark]:
    values = [properties.get(name)]
    if with_items:
        values += [item.get(name) for item in items_of(properties)]
    marks = {mark for value in values if value is not None for mark in marks_of_value(value)}
    return {PRESENT, *marks} if marks else marks


def marks_of_value(value: Any) -> Iterable[Mark]:
    """Of what a person has: of a list those of its values."""
    if value is None:
        return ()
    return map(mark_of, value) if isinstance(value, _LISTS) else (mark_of(value),)


def _of_events(event_type: str, name: str) -> Marks:
    if name != "category":
        return lambda person, now: events_by_mark(person, event_type, name)

    def categories(person: Person, now: Instant) -> Iterable[Mark]:
        # Of events that are only counted the category is known.
        counted = map(mark_of, person.facts.days.get(event_type, ()))
        return (*events_by_mark(person, event_type, name), *counted)

    return categories


def _event_types(person: Person, now: Instant) -> Iterable[Mark]:
    facts = person.facts
    return (*facts.seen, *facts.days, *((_COMPLETED,) if facts.settled else ()))


def _tags(person: Person, now: Instant) -> Iterable[Mark]:
    return [mark_of(name) for name, tag in person.snapshot.tags.items() if tag.holds(now)]


_ROOTS: Final[Mapping[Family, Marks]] = {
    ("categories",): lambda person, now: person.facts.categories,
    ("skus",): lambda person, now: person.facts.skus,
    ("identifiers",): lambda person, now: person.facts.identifiers,
    ("events",): _event_types,
    ("tags",): _tags,
    ("segments",): lambda person, now: map(mark_of, person.segments),
}


def _known(path: str) -> FactPath:
    fact = locate(path)
    if fact is None:
        raise ValueError(f"there is no fact {path!r}")
    return fact


def _of_path(path: FactPath, options: Options) -> Marks:
    """The value under a path; where time changes it, every one it takes if no event arrives."""
    read = steady(path)
    if read is not None:
        return lambda person, now: _present(read(person))
    states = changing(path, options)
    return lambda person, now: [mark_of(each.value) for each in states(person, now)]


def _present(value: Any) -> Iterable[Mark]:
    return () if value is None else (PRESENT, *marks_of_value(value))
