"""Rules and what they may read, as the API tells of them."""

from typing import Any

from msgspec import Struct


class RuleSpec(Struct, frozen=True, forbid_unknown_fields=True):
    """A rule in one of its forms: the JSON tree, text, or JsonLogic."""

    rule: Any = None
    text: str | None = None
    jsonlogic: Any = None


class RuleWarning(Struct, frozen=True):
    """Something that is allowed but looks like a mistake; `pointer` goes into `rule`."""

    pointer: str
    code: str
    message: str


class ReadRule(Struct, frozen=True):
    """A rule in every form. `words`: what it asks for, in `zh` and `en`; the lists: what it
    reads."""

    rule: Any
    text: str
    words: dict[str, str]
    facts: list[str]
    events: list[str]
    tags: list[str]
    segments: list[str]
    warnings: list[RuleWarning]


class ValueView(Struct, frozen=True):
    """A value a fact can have, and what it means in `zh` and `en`."""

    value: str
    words: dict[str, str]


class FactView(Struct, frozen=True, kw_only=True):
    """A fact a rule may read.

    - `path`: what a rule calls it; with `<name>` in it, whatever the customers' data decides
    - `type`: `number money time text flag list any`; `any` holds whatever customers' data holds
    - `unit`: of money the currency; of counts what is counted; null for bare values
    - `ops`: the comparisons it has; `values`: all it can be, null if that is open
    - `examples`: made up for facts every profile has; else values that several people share
    - `seen_in`: how many of the `sampled` people have it; null for what all have
    - `moved_by_time`: whether it changes without an event
    """

    path: str
    type: str
    name: dict[str, str]
    unit: dict[str, str] | None = None
    ops: list[str]
    values: list[ValueView] | None = None
    examples: list[Any] = []
    seen_in: int | None = None
    moved_by_time: bool = False


class PropertyView(Struct, frozen=True):
    """A property of an event that conditions may look at."""

    name: str
    type: str
    words: dict[str, str]


class EventView(Struct, frozen=True):
    """An event type that rules may count, sum and date."""

    type: str
    name: dict[str, str]
    properties: list[PropertyView]


class FactCatalogue(Struct, frozen=True):
    """`items`: every fact; `events`: every event type, custom ones seen included; `sampled`: of
    how many people the examples come."""

    items: list[FactView]
    events: list[EventView]
    sampled: int
