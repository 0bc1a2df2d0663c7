"""A rule back as the JSON tree it was read from."""

from typing import Any, assert_never

from zhiyin.rules.tree import (
    Aggregate,
    AllOf,
    Anniversary,
    AnyOf,
    Condition,
    FactIs,
    InSegment,
    Leaf,
    Not,
    Recency,
    Rule,
    RuleValue,
    Selector,
    Streak,
    Tagged,
)

Tree = dict[str, Any]


def unparse(rule: Rule) -> Tree:
    """`parse(unparse(rule)) == rule`."""
    match rule:
        case AllOf(clauses):
            return {"all": [unparse(clause) for clause in clauses]}
        case AnyOf(clauses):
            return {"any": [unparse(clause) for clause in clauses]}
        case Not(clause):
            return {"not": unparse(clause)}
        case _:
            return leaf(rule)


def leaf(rule: Leaf) -> Tree:
    match rule:
        case FactIs(path, op, value):
            return {"fact": path, "op": op} | _value(value)
        case Aggregate(function, selector, op, value, within, of):
            body = _selector(selector) | _present(within=within, property=of)
            return {function: body, "op": op} | _value(value)
        case Recency(which, selector, older_than, newer_than):
            return {which: _selector(selector)} | _present(
                older_than=older_than, newer_than=newer_than
            )
        case Streak(selector, op, value):
            return {"streak": _selector(selector), "op": op} | _value(value)
        case Tagged(tag):
            return {"tag": tag}
        case InSegment(segment):
            return {"segment": segment}
        case Anniversary(path, within):
            return {"anniversary": path, "within": within}
        case _:
            assert_never(rule)


def plain(value: RuleValue) -> Any:
    """A rule's value as JSON has it."""
    return list(value) if isinstance(value, tuple) else value


def _value(value: RuleValue) -> Tree:
    return {} if value is None else {"value": plain(value)}


def _present(**fields: str | None) -> Tree:
    return {name: value for name, value in fields.items() if value is not None}


def _selector(selector: Selector) -> Tree:
    tree: Tree = {"event": selector.event}
    if selector.where:
        tree["where"] = _where(selector.where)
    return tree


def _where(conditions: tuple[Condition, ...]) -> Tree:
    grouped: dict[str, list[Condition]] = {}
    for condition in conditions:
        grouped.setdefault(condition.property, []).append(condition)
    return {name: _tests(group) for name, group in grouped.items()}


def _tests(group: list[Condition]) -> Any:
    """The short form where there is one: a bare value for `eq`, a list for `in`."""
    if len(group) == 1 and group[0].op in ("eq", "in"):
        return plain(group[0].value)
    return {each.op: True if each.value is None else plain(each.value) for each in group}
