"""What stands under a path of the profile with a name that the customer's data decides."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, Final

from zhiyin.contracts.instants import Instant
from zhiyin.facts import reorders
from zhiyin.facts.reorders import interval_days
from zhiyin.rules.person import Person

Read = Callable[[Person], Any]


def due_dates(person: Person) -> dict[str, Instant]:
    """SKU → when it is due for reorder."""
    return person.once("due", lambda p: {each.sku: each.due_at for each in reorders(p.facts)})


def _attribute(name: str, field: str) -> Read:
    def read(person: Person) -> Any:
        found = person.facts.attributes.get(name)
        # A removed attribute is kept as null, so that an older value cannot come back.
        return None if found is None or found.value is None else getattr(found, field)

    return read


def _consent(name: str, field: str) -> Read:
    def read(person: Person) -> Any:
        found = person.facts.consents.get(name)
        return None if found is None else getattr(found, field)

    return read


def _category(name: str, field: str) -> Read:
    def read(person: Person) -> Any:
        found = person.facts.categories.get(name)
        if found is None:
            return None if field in ("last_at", "interval_days") else 0
        if field == "interval_days":
            return _exact_days(found.intervals)
        return getattr(found, field)

    return read


def _sku(name: str, field: str) -> Read:
    def read(person: Person) -> Any:
        found = person.facts.skus.get(name)
        if found is None:
            return None if field in ("last_at", "interval_days") else 0
        if field == "interval_days":
            return _exact_days(found.intervals)
        return getattr(found, field)

    return read


def _exact_days(intervals: Sequence[int]) -> Decimal | None:
    """As the profile shows it."""
    days = interval_days(intervals)
    return None if days is None else Decimal(repr(days))


def _identifier(name: str, field: str) -> Read:
    return lambda person: tuple(person.facts.identifiers.get(name, ()))


def _reorder(name: str, field: str) -> Read:
    return lambda person: due_dates(person).get(name)


NAMED: Final[dict[str, Callable[[str, str], Read]]] = {
    "attributes": _attribute,
    "consents": _consent,
    "categories": _category,
    "skus": _sku,
    "identifiers": _identifier,
    "reorder": _reorder,
}
