"""All tag rules in force, in the order in which they settle."""

from collections.abc import Iterable, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from msgspec import Struct

from zhiyin.contracts.instants import Duration, duration
from zhiyin.rules import Compiled, Options, compile_rule, parse, reads

TAGS = "tags."


class Definition(Struct, frozen=True):
    """A tag rule as it is stored. `revision`: of the tag set in which it last changed."""

    tag: str
    version: int
    rule: Any
    ttl: str | None
    revision: int = 0


class TagRule(Struct, frozen=True):
    """`ttl` None: the tag holds exactly while the rule does."""

    tag: str
    version: int
    revision: int
    ttl: Duration | None
    reads: frozenset[str]
    compiled: Compiled

    def concerned(self, changed: frozenset[str]) -> bool:
        return not self.reads.isdisjoint(changed)


class TagSet(Struct, frozen=True):
    """`rules`: each after those whose tags it reads. `revision` goes up with every edit."""

    revision: int = 0
    rules: tuple[TagRule, ...] = ()

    @property
    def tags(self) -> frozenset[str]:
        return frozenset(rule.tag for rule in self.rules)


class TagCycle(ValueError):
    """Tag rules that read each other's tags in a circle; `path` starts and ends with the same."""

    def __init__(self, path: tuple[str, ...]) -> None:
        super().__init__(" → ".join(path))
        self.path = path


def build_tag_set(revision: int, definitions: Iterable[Definition], options: Options) -> TagSet:
    """Compile what is stored. Raises TagCycle."""
    rules = {one.tag: _rule(one, options) for one in definitions}
    order = settle_order({tag: rule.reads for tag, rule in rules.items()})
    return TagSet(revision, tuple(rules[tag] for tag in order))


def settle_order(reads_of: Mapping[str, frozenset[str]]) -> tuple[str, ...]:
    """Tags so that each comes after the tags its rule reads. Raises TagCycle."""
    graph = {tag: sorted(tags_read(reads_of[tag]) & reads_of.keys()) for tag in sorted(reads_of)}
    try:
        return tuple(TopologicalSorter(graph).static_order())
    except CycleError as cycle:
        raise TagCycle(tuple(reversed(cycle.args[1]))) from cycle


def tags_read(names: frozenset[str]) -> frozenset[str]:
    """The tags among a rule's dependency names."""
    return frozenset(name.removeprefix(TAGS) for name in names if name.startswith(TAGS))


def _rule(definition: Definition, options: Options) -> TagRule:
    rule = parse(definition.rule)
    return TagRule(
        definition.tag,
        definition.version,
        definition.revision,
        None if definition.ttl is None else duration(definition.ttl),
        reads(rule),
        compile_rule(rule, options),
    )
