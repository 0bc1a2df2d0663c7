"""A rule as a tree of frozen clauses. Durations stay as written (`90d`), so that a rule reads back
as its author wrote it."""

from typing import Literal

from msgspec import Struct

Op = Literal[
    "eq",
    "ne",
    "gt",
    "gte",
    "lt",
    "lte",
    "between",
    "in",
    "not_in",
    "contains",
    "starts_with",
    "exists",
    "missing",
    "any_of",
    "all_of",
    "none_of",
    "older_than",
    "newer_than",
]
Scalar = str | int | float | bool
RuleValue = Scalar | tuple[Scalar, ...] | None


class AllOf(Struct, frozen=True):
    clauses: "tuple[Rule, ...]"


class AnyOf(Struct, frozen=True):
    clauses: "tuple[Rule, ...]"


class Not(Struct, frozen=True):
    clause: "Rule"


class FactIs(Struct, frozen=True):
    """A path of the profile compared with a value; None for `exists` and `missing`."""

    path: str
    op: Op
    value: RuleValue = None


class Condition(Struct, frozen=True):
    """One property of an event compared with a value."""

    property: str
    op: Op
    value: RuleValue = None


class Selector(Struct, frozen=True):
    """The events of a type that meet every condition."""

    event: str
    where: tuple[Condition, ...] = ()


class Aggregate(Struct, frozen=True):
    """A number over a person's events. `within` None: over all that is kept."""

    function: Literal["count", "sum", "max", "min"]
    selector: Selector
    op: Op
    value: RuleValue
    within: str | None = None
    property: str | None = None


class Recency(Struct, frozen=True):
    """How long ago the last or first such event was. Both bounds set: both must hold."""

    which: Literal["last", "first"]
    selector: Selector
    older_than: str | None = None
    newer_than: str | None = None


class Streak(Struct, frozen=True):
    """How many of the newest events of the type meet the conditions, without a gap."""

    selector: Selector
    op: Op
    value: RuleValue


class Tagged(Struct, frozen=True):
    tag: str


class InSegment(Struct, frozen=True):
    segment: str


class Anniversary(Struct, frozen=True):
    """The day of the year of a date comes within a duration, or is today."""

    path: str
    within: str


Leaf = FactIs | Aggregate | Recency | Streak | Tagged | InSegment | Anniversary
Rule = AllOf | AnyOf | Not | Leaf
