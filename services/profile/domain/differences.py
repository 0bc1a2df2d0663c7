"""Which facts differ between two states of a person, by the names under which rules read them."""

from collections.abc import Iterator, Mapping
from typing import Any

from services.profile.domain.packed import PackedFacts
from zhiyin.facts.life import LIFE_ATTRIBUTES


def differing(one: Mapping[str, Any], other: Mapping[str, Any]) -> Iterator[str]:
    """Keys that are in one only, or have different values."""
    for key in one.keys() | other.keys():
        if key not in one or key not in other or one[key] != other[key]:
            yield key


def differences(old: PackedFacts, new: PackedFacts) -> frozenset[str]:
    """Dependency names of everything that differs."""
    named: dict[str, tuple[Mapping[str, Any], Mapping[str, Any]]] = {
        "attributes": (old.attributes, new.attributes),
        "consents": (old.consents, new.consents),
        "categories": (old.categories, new.categories),
        "events": (old.seen, new.seen),
    }
    whole: dict[str, tuple[Any, Any]] = {
        "orders": (_ordering(old), _ordering(new)),
        "reorder": (old.skus, new.skus),
        "support": ((old.tickets, old.tickets_past), (new.tickets, new.tickets_past)),
        "notes": (old.notes, new.notes),
        "hours": (old.hours, new.hours),
        "identifiers": (old.identifiers, new.identifiers),
        "browse": (old.days, new.days),
    }
    changed = {
        f"{root}.{name}" for root, (one, other) in named.items() for name in differing(one, other)
    }
    changed |= {name for name, (one, other) in whole.items() if one != other}
    for family in ("browse", "support"):
        if any(name.startswith(f"events.{family}.") for name in changed):
            changed.add(family)
    if not LIFE_ATTRIBUTES.isdisjoint(changed):
        changed.add("life")
    return frozenset(changed)


def _ordering(facts: PackedFacts) -> tuple[Any, ...]:
    return (
        facts.orders,
        facts.orders_kept,
        facts.settled,
        facts.gifts,
        facts.prices,
        facts.channels,
        facts.stores,
    )
