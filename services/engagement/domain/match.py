"""Does an event match what a trigger, a wait, an exit or a goal asks for?"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import msgspec

from zhiyin.contracts.instants import Duration
from zhiyin.contracts.profiles import Cause

Meets = Callable[[Mapping[str, Any]], bool]
_decode = msgspec.msgpack.Decoder(dict[str, Any]).decode

_NOTHING: Mapping[str, Any] = MappingProxyType({})
# In `where`, `{"trigger": "ticket_id"}` stands for that property of the event that began the
# journey: a wait for the resolution of this very ticket. `{"task": "action_id"}` is of the task
# that staff were given last.
_ROOTS = frozenset({"trigger", "task"})


@dataclass(frozen=True, slots=True)
class Match:
    """`any`: whatever the properties, so that nobody need decode them. `begun`: property → where
    in the journey's context its value is, as (root, name)."""

    event: str
    where: Meets
    begun: Mapping[str, tuple[str, str]]
    any: bool = False

    def holds(self, cause: Cause, context: Mapping[str, Any] = _NOTHING) -> bool:
        if cause.type != self.event:
            return False
        if self.any:
            return True
        properties = _decode(cause.properties)
        if not self.where(properties):
            return False
        return all(
            (wanted := context.get(root, _NOTHING).get(source)) is not None
            and _has(properties, name, wanted)
            for name, (root, source) in self.begun.items()
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


def split_where(
    where: Mapping[str, Any],
) -> tuple[dict[str, Any], dict[str, tuple[str, str]]]:
    """(conditions on the event alone, those that speak of the journey: see `Match.begun`)."""
    alone: dict[str, Any] = {}
    begun: dict[str, tuple[str, str]] = {}
    for name, wanted in where.items():
        if isinstance(wanted, dict) and len(wanted) == 1 and wanted.keys() <= _ROOTS:
            [(root, source)] = wanted.items()
            begun[name] = root, str(source)
        else:
            alone[name] = wanted
    return alone, begun


def properties(cause: Cause) -> dict[str, Any]:
    return _decode(cause.properties)
