"""A rule as text that reads back as the same rule."""

from collections.abc import Iterable
from typing import Final, assert_never

import msgspec

from zhiyin.rules.text.tokens import RESERVED, WORD
from zhiyin.rules.tree import (
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    FactIs,
    InSegment,
    Leaf,
    Not,
    Op,
    Recency,
    Rule,
    RuleValue,
    Scalar,
    Selector,
    Streak,
    Tagged,
)

_OPS: Final[dict[Op, str]] = {
    "eq": "=",
    "ne": "!=",
    "gt": ">",
    "gte": ">=",
    "lt": "<",
    "lte": "<=",
    "not_in": "not in",
    "starts_with": "starts with",
    "any_of": "any of",
    "all_of": "all of",
    "none_of": "none of",
    "older_than": "older than",
    "newer_than": "newer than",
}


def write_text(rule: Rule) -> str:
    """`parse_text(write_text(rule)) == rule`, for every rule that `parse` has accepted."""
    match rule:
        case AllOf(clauses):
            return _joined("all", "and", clauses)
        case AnyOf(clauses):
            return _joined("any", "or", clauses)
        case Not(clause):
            return f"not {_inside(clause)}"
        case _:
            return _leaf(rule)


def _joined(name: str, word: str, clauses: tuple[Rule, ...]) -> str:
    if len(clauses) == 1:
        return f"{name}({write_text(clauses[0])})"
    return f" {word} ".join(map(_inside, clauses))


def _inside(clause: Rule) -> str:
    """In brackets where the text would else read as part of what stands around it."""
    text = write_text(clause)
    several = isinstance(clause, (AllOf, AnyOf)) and len(clause.clauses) > 1
    return f"({text})" if several else text


def _leaf(rule: Leaf) -> str:
    match rule:
        case FactIs(path, op, value):
            return f"{_name(path)} {_test(op, value)}"
        case Aggregate(function, selector, op, value, within, of):
            measured = "" if of is None else f"{_name(of)} of "
            window = "" if within is None else f" within {within}"
            return f"{function}({measured}{_events(selector)}{window}) {_test(op, value)}"
        case Recency(which, selector, older_than, newer_than):
            older = "" if older_than is None else f" older than {older_than}"
            newer = "" if newer_than is None else f" newer than {newer_than}"
            return f"{which}({_events(selector)}){older}{newer}"
        case Streak(selector, op, value):
            return f"streak({_events(selector)}) {_test(op, value)}"
        case Tagged(tag):
            return f"tag {_name(tag)}"
        case InSegment(segment):
            return f"segment {_name(segment)}"
        case Anniversary(path, within):
            return f"anniversary({_name(path)}) within {within}"
        case _:
            assert_never(rule)


def _events(selector: Selector) -> str:
    if not selector.where:
        return _name(selector.event)
    tests = (f"{_name(each.property)} {_test(each.op, each.value)}" for each in selector.where)
    return f"{_name(selector.event)} where {' and '.join(tests)}"


def _test(op: Op, value: RuleValue) -> str:
    said = _OPS.get(op, op)
    if value is None:
        return said
    if op == "between" and isinstance(value, tuple):
        return f"between {' and '.join(map(_scalar, value))}"
    if isinstance(value, tuple):
        return f"{said} ({_listed(value)})"
    return f"{said} {value if op in ('older_than', 'newer_than') else _scalar(value)}"


def _listed(values: Iterable[Scalar]) -> str:
    return ", ".join(map(_scalar, values))


def _scalar(value: Scalar) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return _quoted(value) if isinstance(value, str) else repr(value)


def _name(name: str) -> str:
    bare = WORD.fullmatch(name) and name.lower() not in RESERVED
    return name if bare else _quoted(name)


def _quoted(text: str) -> str:
    return msgspec.json.encode(text).decode()
