"""Clauses made of clauses, and which reader reads which clause."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from zhiyin.rules.reading.events import read_aggregate, read_recency, read_streak
from zhiyin.rules.reading.facts import read_anniversary, read_fact, read_segment, read_tag
from zhiyin.rules.reading.reader import Reader, Refused, child
from zhiyin.rules.tree import AllOf, AnyOf, Leaf, Not, Rule

_Raw = Mapping[str, Any]
_LEAVES: Final[Mapping[str, Callable[[Reader, _Raw, str], Leaf]]] = {
    "fact": read_fact,
    **{name: partial(read_aggregate, function=name) for name in ("count", "sum", "max", "min")},
    **{name: partial(read_recency, which=name) for name in ("last", "first")},
    "streak": read_streak,
    "tag": read_tag,
    "segment": read_segment,
    "anniversary": read_anniversary,
}
_CLAUSES: Final = ("all", "any", "not", *_LEAVES)


def read_rule(reader: Reader, raw: object, pointer: str, depth: int = 1) -> Rule:
    reader.count(pointer, depth)
    tree = reader.table(raw, pointer, "a clause")
    names = [name for name in _CLAUSES if name in tree]
    if len(names) != 1:
        message = f"a clause has exactly one of {', '.join(_CLAUSES)}"
        reader.refuse(pointer, "ambiguous_clause" if names else "unknown_clause", message)
    name = names[0]
    if name in _LEAVES:
        return _LEAVES[name](reader, tree, pointer)
    reader.keys(tree, pointer, (name,))
    inside = child(pointer, name)
    if name == "not":
        return Not(read_rule(reader, tree[name], inside, depth + 1))
    clauses = _clauses(reader, tree[name], inside, depth + 1)
    return AllOf(clauses) if name == "all" else AnyOf(clauses)


def _clauses(reader: Reader, raw: object, pointer: str, depth: int) -> tuple[Rule, ...]:
    """Reads every clause before giving up, so that all problems are told at once."""
    if not isinstance(raw, (list, tuple)):
        reader.refuse(pointer, "wrong_type", "must be a list of clauses")
    if not raw:
        reader.refuse(pointer, "empty", "needs at least one clause")
    clauses: list[Rule] = []
    for index, each in enumerate(raw):
        try:
            clauses.append(read_rule(reader, each, child(pointer, index), depth))
        except Refused:
            continue
    if len(clauses) < len(raw):
        raise Refused
    return tuple(clauses)
