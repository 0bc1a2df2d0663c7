"""The events a fact's value comes from, where the profile still knows them, newest first."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from zhiyin.rules.compiling.leaf import newest
from zhiyin.rules.paths import FactPath
from zhiyin.rules.person import Person
from zhiyin.rules.where import items_of

_COMPLETED: Final = "purchase.completed"


def evidence_of(person: Person, path: FactPath) -> tuple[str, ...]:
    """At most `MOST_EVIDENCE` event ids."""
    look_up = _SOURCES.get(path.root)
    return () if look_up is None else look_up(person, path)


def _attribute(person: Person, path: FactPath) -> tuple[str, ...]:
    found = person.facts.attributes.get(path.name)
    return () if found is None else (found.event_id,)


def _consent(person: Person, path: FactPath) -> tuple[str, ...]:
    found = person.facts.consents.get(path.name)
    return () if found is None else (found.event_id,)


def _orders(person: Person, path: FactPath) -> tuple[str, ...]:
    return newest(list(_counted(person)))


def _counted(person: Person) -> dict[str, None]:
    """Orders that count, oldest first."""
    orders = person.facts.orders_kept.values()
    return {
        event_id: None for _, event_id in sorted((o.at, o.event_id) for o in orders if o.counts)
    }


def _bought(person: Person, key: str, name: str) -> tuple[str, ...]:
    """Orders that count with an item of that category or SKU."""
    counted = _counted(person)
    pairs = zip(person.kept(_COMPLETED), person.properties(_COMPLETED), strict=True)
    return newest(
        [
            event.event_id
            for event, properties in pairs
            if event.event_id in counted and name in _of_items(properties, key)
        ]
    )


def _of_items(properties: Mapping[str, Any], key: str) -> Iterator[Any]:
    return (item.get(key) for item in items_of(properties))


def _family(person: Person, path: FactPath) -> tuple[str, ...]:
    return newest([event.event_id for event in person.facts.kept.get(path.root, ())])


def _tags(person: Person, path: FactPath) -> tuple[str, ...]:
    return newest([each for tag in person.snapshot.tags.values() for each in tag.evidence])


_SOURCES: Final[dict[str, Callable[[Person, FactPath], tuple[str, ...]]]] = {
    "attributes": _attribute,
    "consents": _consent,
    "orders": _orders,
    "rfm": _orders,
    "quintiles": _orders,
    "lifecycle": _orders,
    "categories": lambda person, path: _bought(person, "category", path.name),
    "reorder": lambda person, path: _bought(person, "sku", path.name),
    "browse": _family,
    "support": _family,
    "tags": _tags,
}
