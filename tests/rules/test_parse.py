from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.strategies import rules
from zhiyin.rules import RuleError, RuleProblem, compile_rule, parse, parse_where, unparse

VALID = [
    {"fact": "attributes.city", "op": "eq", "value": "杭州"},
    {"fact": "attributes.health.diet", "op": "any_of", "value": ["vegan", "素食"]},
    {"fact": "attributes.age", "op": "between", "value": [30, 40]},
    {"fact": "attributes.member_until", "op": "lt", "value": "2027-01-01T00:00:00+08:00"},
    {"fact": "attributes.vip", "op": "eq", "value": True},
    {"fact": "attributes.city", "op": "exists"},
    {"fact": "attributes.city.source", "op": "eq", "value": "crm"},
    {"fact": "consents.marketing.sms", "op": "eq", "value": True},
    {"fact": "consents.marketing.sms.granted", "op": "ne", "value": True},
    {"fact": "categories.坚果.orders", "op": "gte", "value": 2},
    {"fact": "categories.坚果.total", "op": "gt", "value": "99.50"},
    {"fact": "identifiers.phone", "op": "exists"},
    {"fact": "orders.total", "op": "gte", "value": 200},
    {"fact": "orders.last_at", "op": "older_than", "value": "90d"},
    {"fact": "orders.first_at", "op": "gte", "value": "2026-01-01"},
    {"fact": "rfm.class", "op": "in", "value": ["dormant", "churn_warning"]},
    {"fact": "lifecycle.stage", "op": "ne", "value": "lead"},
    {"fact": "support.rating", "op": "lt", "value": 3.5},
    {"fact": "tags", "op": "none_of", "value": ["vip"]},
    {"fact": "segments", "op": "contains", "value": "dormant-90d"},
    {"count": {"event": "browse.viewed", "where": {"category": "健身"}}, "op": "gte", "value": 3},
    {"count": {"event": "custom.pairing", "within": "36h"}, "op": "eq", "value": 0},
    {
        "sum": {"event": "purchase.completed", "property": "total", "within": "P1W"},
        "op": "gt",
        "value": "1000.00",
    },
    {
        "max": {"event": "purchase.completed", "property": "total"},
        "op": "between",
        "value": [1, 5],
    },
    {"last": {"event": "purchase.completed"}, "older_than": "90d"},
    {
        "first": {"event": "purchase.completed", "where": {"total": {"gte": 100, "lt": 500}}},
        "newer_than": "7d",
        "older_than": "1h",
    },
    {
        "streak": {"event": "browse.viewed", "where": {"category": ["健身", "瑜伽"]}},
        "op": "gte",
        "value": 3,
    },
    {"tag": "vip"},
    {"segment": "dormant-90d"},
    {"anniversary": "attributes.birthday", "within": "7d"},
    {"all": [{"tag": "vip"}, {"any": [{"tag": "a"}, {"not": {"segment": "b"}}]}]},
]


@pytest.mark.parametrize("tree", VALID, ids=lambda tree: "-".join(map(str, tree))[:30])
def test_a_rule_of_the_contract_is_read_compiled_and_written_back_as_it_was(tree: Any) -> None:
    rule = parse(tree)
    assert unparse(rule) == tree
    compile_rule(rule)


@settings(max_examples=100, deadline=None)
@given(rules)
def test_what_is_written_back_reads_as_the_same_rule(tree: dict[str, Any]) -> None:
    rule = parse(tree)
    assert parse(unparse(rule)) == rule


BROKEN: list[tuple[Any, str, str]] = [
    (None, "", "wrong_type"),
    ([], "", "wrong_type"),
    ({}, "", "unknown_clause"),
    ({"alle": []}, "", "unknown_clause"),
    ({"all": [{"tag": "a"}], "any": [{"tag": "b"}]}, "", "ambiguous_clause"),
    ({"all": []}, "/all", "empty"),
    ({"all": {"tag": "a"}}, "/all", "wrong_type"),
    ({"not": [{"tag": "a"}]}, "/not", "wrong_type"),
    ({"all": [{"tag": "a"}], "nam": 1}, "/nam", "unknown_key"),
    ({"fact": "orders.totl", "op": "gte", "value": 1}, "/fact", "unknown_fact"),
    ({"fact": "orders", "op": "exists"}, "/fact", "unknown_fact"),
    ({"fact": "attributes.", "op": "exists"}, "/fact", "unknown_fact"),
    ({"fact": "identifiers.passport", "op": "exists"}, "/fact", "unknown_fact"),
    ({"fact": 7, "op": "exists"}, "/fact", "wrong_type"),
    ({"fact": "orders.total", "value": 1}, "", "missing_key"),
    ({"fact": "orders.total", "op": "gte"}, "", "missing_key"),
    ({"fact": "orders.total", "op": "≥", "value": 1}, "/op", "unknown_op"),
    ({"fact": "orders.total", "op": ["gte"], "value": 1}, "/op", "unknown_op"),
    ({"fact": "orders.total", "op": "contains", "value": "1"}, "/op", "op_not_allowed"),
    ({"fact": "rfm.class", "op": "gte", "value": "dormant"}, "/op", "op_not_allowed"),
    ({"fact": "segments", "op": "exists"}, "/op", "op_not_allowed"),
    ({"fact": "orders.total", "op": "gte", "value": "many"}, "/value", "wrong_type"),
    ({"fact": "orders.total", "op": "gte", "value": True}, "/value", "wrong_type"),
    ({"fact": "orders.total", "op": "gte", "value": float("nan")}, "/value", "bad_number"),
    ({"fact": "orders.total", "op": "gte", "value": 10**400}, "/value", "bad_number"),
    ({"fact": "orders.count", "op": "gte", "value": "3"}, "/value", "wrong_type"),
    ({"fact": "orders.last_at", "op": "gte", "value": "yesterday"}, "/value", "bad_time"),
    ({"fact": "orders.last_at", "op": "gte", "value": "2026-02-30"}, "/value", "bad_time"),
    ({"fact": "orders.last_at", "op": "gte", "value": "2026-02-03T10:00:00"}, "/value", "bad_time"),
    ({"fact": "orders.last_at", "op": "older_than", "value": 90}, "/value", "wrong_type"),
    ({"fact": "rfm.class", "op": "eq", "value": "sleepy"}, "/value", "unknown_value"),
    ({"fact": "attributes.city", "op": "in", "value": "杭州"}, "/value", "wrong_type"),
    ({"fact": "attributes.city", "op": "in", "value": []}, "/value", "bad_list"),
    ({"fact": "attributes.city", "op": "in", "value": ["a", {}]}, "/value/1", "wrong_type"),
    ({"fact": "attributes.city", "op": "eq", "value": ""}, "/value", "bad_text"),
    ({"fact": "attributes.city", "op": "eq", "value": "a\0b"}, "/value", "bad_text"),
    ({"fact": "attributes.city", "op": "eq", "value": "\ud800"}, "/value", "bad_text"),
    ({"fact": "attributes.city", "op": "gt", "value": "Hangzhou"}, "/value", "wrong_type"),
    ({"fact": "attributes.age", "op": "between", "value": [40, 30]}, "/value", "bad_list"),
    (
        {"fact": "attributes.age", "op": "between", "value": [1, "2026-01-01"]},
        "/value",
        "wrong_type",
    ),
    ({"fact": "attributes.age", "op": "exists", "value": 1}, "/value", "wrong_type"),
    ({"tag": ""}, "/tag", "bad_text"),
    ({"segment": 5}, "/segment", "wrong_type"),
    ({"tag": "vip", "op": "eq"}, "/op", "unknown_key"),
    ({"count": "browse.viewed", "op": "gte", "value": 3}, "/count", "wrong_type"),
    ({"count": {}, "op": "gte", "value": 3}, "/count", "missing_key"),
    (
        {"count": {"event": "browse.vewed"}, "op": "gte", "value": 3},
        "/count/event",
        "unknown_event_type",
    ),
    (
        {"count": {"event": "custom."}, "op": "gte", "value": 3},
        "/count/event",
        "unknown_event_type",
    ),
    (
        {"count": {"event": "browse.viewed", "within": "7 days"}, "op": "gte", "value": 3},
        "/count/within",
        "bad_duration",
    ),
    (
        {"count": {"event": "browse.viewed", "within": "P0D"}, "op": "gte", "value": 3},
        "/count/within",
        "duration_out_of_range",
    ),
    (
        {"count": {"event": "browse.viewed", "within": "401d"}, "op": "gte", "value": 3},
        "/count/within",
        "duration_out_of_range",
    ),
    (
        {"count": {"event": "browse.viewed", "property": "x"}, "op": "gte", "value": 3},
        "/count/property",
        "unknown_key",
    ),
    ({"sum": {"event": "browse.viewed"}, "op": "gte", "value": 3}, "/sum", "missing_key"),
    (
        {
            "count": {"event": "browse.viewed", "where": {"sku": {"like": "x"}}},
            "op": "gte",
            "value": 3,
        },
        "/count/where/sku/like",
        "unknown_op",
    ),
    (
        {"count": {"event": "browse.viewed", "where": {"a/b~c": {}}}, "op": "gte", "value": 3},
        "/count/where/a~1b~0c",
        "empty",
    ),
    (
        {"count": {"event": "browse.viewed", "where": {"sku": None}}, "op": "gte", "value": 3},
        "/count/where/sku",
        "wrong_type",
    ),
    ({"last": {"event": "purchase.completed"}}, "", "missing_key"),
    ({"last": {"event": "purchase.completed"}, "older_than": "90x"}, "/older_than", "bad_duration"),
    ({"last": {"event": "purchase.completed"}, "older_than": None}, "/older_than", "wrong_type"),
    (
        {"last": {"event": "purchase.completed", "where": {"sku": "A"}}, "older_than": "500d"},
        "/older_than",
        "duration_out_of_range",
    ),
    ({"anniversary": "attributes.birthday"}, "", "missing_key"),
    ({"anniversary": "orders.count", "within": "7d"}, "/anniversary", "wrong_type"),
    ({"anniversary": "attributes.birthday", "within": "400d"}, "/within", "duration_out_of_range"),
]


@pytest.mark.parametrize(("tree", "pointer", "code"), BROKEN)
def test_a_broken_rule_is_refused_with_the_place_and_the_reason(
    tree: Any, pointer: str, code: str
) -> None:
    with pytest.raises(RuleError) as refused:
        parse(tree)
    (problem,) = refused.value.problems
    assert (problem.pointer, problem.code) == (pointer, code)
    assert problem.message
    problem.message.encode()


def test_all_problems_are_told_at_once_with_pointers_from_the_documents_root() -> None:
    broken = [{"tag": 1}, {"tag": "fine"}, {"any": [{"segment": 2}, {"fact": "x", "op": "eq"}]}]
    with pytest.raises(RuleError) as refused:
        parse({"all": broken}, pointer="/rule")
    pointers = [problem.pointer for problem in refused.value.problems]
    assert pointers == ["/rule/all/0/tag", "/rule/all/2/any/0/segment", "/rule/all/2/any/1/fact"]


def test_a_rule_that_is_too_deep_or_too_large_is_refused() -> None:
    deep: Any = {"tag": "a"}
    for _ in range(20):
        deep = {"not": deep}
    large = {"any": [{"tag": "a"}] * 500}
    for tree, code in ((deep, "too_deep"), (large, "too_large")):
        with pytest.raises(RuleError) as refused:
            parse(tree)
        assert [problem.code for problem in refused.value.problems] == [code]


def test_conditions_of_a_trigger_are_read_like_those_of_a_rule() -> None:
    (kind, total) = parse_where({"kind": ["complaint"], "total": {"gte": 5}})
    assert (kind.op, total.op, total.value) == ("in", "gte", 5)
    with pytest.raises(RuleError):
        parse_where([])


_WORDS = "all any not fact op value count sum event where within last older_than property tag"
_keys = st.sampled_from(_WORDS.split()) | st.text(max_size=3)
_values = st.sampled_from(
    ["orders.total", "attributes.x", "gte", "between", "purchase.completed", "7d", "2026-01-01"]
)
_scalars = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5), _values
)
_junk = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_keys | st.integers(), inner, max_size=4)
    ),
    max_leaves=12,
)


def _mutated(tree: Any, path: list[int], junk: Any) -> Any:
    """The tree with junk somewhere inside."""
    if not path or not isinstance(tree, (dict, list)) or not tree:
        return junk
    if isinstance(tree, list):
        index = path[0] % len(tree)
        return [_mutated(v, path[1:], junk) if i == index else v for i, v in enumerate(tree)]
    chosen = sorted(tree, key=str)[path[0] % len(tree)]
    return {k: _mutated(v, path[1:], junk) if k == chosen else v for k, v in tree.items()}


@settings(max_examples=300, deadline=None)
@given(st.one_of(_junk, st.builds(_mutated, rules, st.lists(st.integers(0, 9), max_size=5), _junk)))
def test_whatever_is_sent_is_either_a_rule_that_compiles_or_refused(tree: Any) -> None:
    problems: tuple[RuleProblem, ...] = ()
    try:
        rule = parse(tree)
    except RuleError as refused:
        problems = refused.problems
    else:
        compile_rule(rule)
        assert parse(unparse(rule)) == rule
        return
    assert problems
    for problem in problems:
        f"{problem.pointer}{problem.message}".encode()
