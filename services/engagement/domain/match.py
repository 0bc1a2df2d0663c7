"""Does an event match what a trigger, a wait, an exit or a goal asks for?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from zhiyin.contracts.instants import Duration
from zhiyin.contracts.profiles import Cause

Meets = Callable[[Mapping[str, Any]], bool]
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode

# In `where`, `{"trigger": "ticket_id"}` stands for that property of the event that began the
# journey: a wait for the resolution of this very ticket.
_FROM_TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Match:
    """`any`: whatever the properties, so that nobody need decode them."""

    event: str
    where: Meets
    trigger: Mapping[str, str]
    any: bool = False

    def holds(self, cause: Cause, began_with: Mapping[str, Any] | None = None) -> bool:
        if cause.type != self.event:
            return False
        if self.any:
            return True
        properties = _decode(cause.properties)
        if not self.where(properties):
            return False
        return all(
            began_with is not None
            and (wanted := began_with.get(source)) is not None
            and _has(properties, name, wanted)
            for name, source in self.trigger.items()
        )


def _has(properties: Mapping[str, Any], name: str, wanted: Any) -> bool:
    """As everywhere, what one item of an order has the order has."""
    if properties.get(name) == wanted:
        return True
    items = properties.get("items")
    return isinstance(items, list) and any(item.get(name) == wanted for item in items)


@dataclass(frozen=True, slots=True)
class Goal:
    match: Match
    within: Duration


def split_where(where: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """(conditions on the event alone, property → property of the event that began it)."""
    alone: dict[str, Any] = {}
    trigger: dict[str, str] = {}
    for name, wanted in where.items():
        if isinstance(wanted, dict) and set(wanted) == {_FROM_TRIGGER}:
            trigger[name] = str(wanted[_FROM_TRIGGER])
        else:
            alone[name] = wanted
    return alone, trigger


def properties(cause: Cause) -> dict[str, Any]:
    return _decode(cause.properties)
