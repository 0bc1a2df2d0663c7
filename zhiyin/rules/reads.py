"""What a rule depends on, so that an event re-evaluates only the rules that read what changed."""

from collections.abc import Iterable, Iterator

from zhiyin.rules.health import with_consent
from zhiyin.rules.loose import many
from zhiyin.rules.paths import locate
from zhiyin.rules.tree import (
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    FactIs,
    InSegment,
    Leaf,
    Not,
    Recency,
    Rule,
    Streak,
    Tagged,
)

_MEMBERS = frozenset({"eq", "ne", "in", "not_in", "contains", "any_of", "all_of", "none_of"})


def reads(rule: Rule) -> frozenset[str]:
    """Dependency names: `attributes.<name>`, `consents.<name>`, `categories.<name>`, `orders`,
    `browse`, `support`, `identifiers`, `reorder`, `hours`, `life`, `notes`, `profile`,
    `events.<type>`, `tags.<tag>`, `segments.<key>`; `tags` alone for a rule that looks at whatever
    tags there are."""
    return frozenset(name for leaf in leaves(with_consent(rule)) for name in dependencies(leaf))


def segments_read(rule: Rule) -> frozenset[str]:
    """The keys of other segments that a rule reads."""
    prefix = "segments."
    return frozenset(name[len(prefix) :] for name in reads(rule) if name.startswith(prefix))


def touched(changed: Iterable[str]) -> frozenset[str]:
    """The dependency names that a change concerns: its own, `tags` when any tag changed, and
    `profile`, which every change concerns."""
    names = set(changed)
    names.add("profile")
    if any(name.startswith("tags.") for name in names):
        names.add("tags")
    return frozenset(names)


def facts_read(rule: Rule) -> frozenset[str]:
    """The paths of the profile that a rule compares."""
    return frozenset(leaf.path for leaf in leaves(rule) if isinstance(leaf, (FactIs, Anniversary)))


def leaves(rule: Rule) -> Iterator[Leaf]:
    return (leaf for _, leaf in placed_leaves(rule))


def placed_leaves(rule: Rule, pointer: str = "") -> Iterator[tuple[str, Leaf]]:
    """Every single clause with where it stands in the rule's tree."""
    match rule:
        case AllOf(clauses) | AnyOf(clauses):
            name = "all" if isinstance(rule, AllOf) else "any"
            for index, clause in enumerate(clauses):
                yield from placed_leaves(clause, f"{pointer}/{name}/{index}")
        case Not(clause):
            yield from placed_leaves(clause, f"{pointer}/not")
        case _:
            yield pointer, rule


def dependencies(leaf: Leaf) -> Iterable[str]:
    """The dependency names of one clause."""
    match leaf:
        case FactIs():
            return _fact_names(leaf)
        case Aggregate() | Recency() | Streak():
            return (f"events.{leaf.selector.event}",)
        case Tagged(tag):
            return (f"tags.{tag}",)
        case InSegment(segment):
            return (f"segments.{segment}",)
        case Anniversary(path):
            return _dependency(path)


def _fact_names(fact: FactIs) -> Iterable[str]:
    if fact.path in ("tags", "segments") and fact.op in _MEMBERS:
        return [f"{fact.path}.{name}" for name in many(fact.value)]
    return _dependency(fact.path)


def _dependency(path: str) -> tuple[str, ...]:
    fact = locate(path)
    return () if fact is None else (fact.dependency,)
