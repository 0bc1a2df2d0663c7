"""Rules as people write them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.strategies import any_rules
from tests.rules.test_parse import VALID
from zhiyin.rules import Place, RuleError, parse, parse_text, unparse, write_text

SAID = [
    (
        "orders.count >= 3 and last(purchase.completed) older than 90d",
        {
            "all": [
                {"fact": "orders.count", "op": "gte", "value": 3},
                {"last": {"event": "purchase.completed"}, "older_than": "90d"},
            ]
        },
    ),
    ("attributes.city = 杭州", {"fact": "attributes.city", "op": "eq", "value": "杭州"}),
    ("orders.total ≥ '99.50'", {"fact": "orders.total", "op": "gte", "value": "99.50"}),
    ("rfm.class = none", {"fact": "rfm.class", "op": "eq", "value": "none"}),
    ("not tag vip", {"not": {"tag": "vip"}}),
    (
        "tag a or tag b and tag c",
        {"any": [{"tag": "a"}, {"all": [{"tag": "b"}, {"tag": "c"}]}]},
    ),
    ("(tag a or tag b) and tag c", {"all": [{"any": [{"tag": "a"}, {"tag": "b"}]}, {"tag": "c"}]}),
    (
        "COUNT(browse.viewed where category = 健身 and dwell_seconds > 2.5 within 7d) "
        "between 1 and 3",
        {
            "count": {
                "event": "browse.viewed",
                "where": {"category": "健身", "dwell_seconds": {"gt": 2.5}},
                "within": "7d",
            },
            "op": "between",
            "value": [1, 3],
        },
    ),
    (
        "sum(total of purchase.completed within P30D) > 1000",
        {
            "sum": {"event": "purchase.completed", "within": "P30D", "property": "total"},
            "op": "gt",
            "value": 1000,
        },
    ),
    (
        "first(purchase.completed) newer than 30d older than 7d",
        {"first": {"event": "purchase.completed"}, "older_than": "7d", "newer_than": "30d"},
    ),
    (
        "anniversary(attributes.birthday) within 7d",
        {"anniversary": "attributes.birthday", "within": "7d"},
    ),
    (
        "tags any of (a, 'b c') or segments not in (x)",
        {
            "any": [
                {"fact": "tags", "op": "any_of", "value": ["a", "b c"]},
                {"fact": "segments", "op": "not_in", "value": ["x"]},
            ]
        },
    ),
    ('"attributes.鞋 码" exists', {"fact": "attributes.鞋 码", "op": "exists"}),
]


@pytest.mark.parametrize(("text", "tree"), SAID, ids=[text for text, _ in SAID])
def test_a_written_rule_says_what_its_tree_says(text: str, tree: dict[str, Any]) -> None:
    assert parse_text(text) == parse(tree)


@pytest.mark.parametrize("tree", VALID, ids=lambda tree: "-".join(map(str, tree))[:30])
def test_every_rule_of_the_contract_can_be_written_and_read_back(tree: Any) -> None:
    assert unparse(parse_text(write_text(parse(tree)))) == tree


@settings(max_examples=150, deadline=None)
@given(any_rules)
def test_what_is_written_reads_back_as_the_same_rule(tree: dict[str, Any]) -> None:
    rule = parse(tree)
    assert parse_text(write_text(rule)) == rule


WRONG = [
    ("", 1, "syntax"),
    ("   ", 4, "syntax"),
    ("orders.count >=", 16, "syntax"),
    ("orders.count >= and tag a", 17, "syntax"),
    ("orders.count 3", 14, "syntax"),
    ("orders.count >= 3 tag a", 19, "syntax"),
    ("(tag a or tag b", 16, "syntax"),
    ("tag a)", 6, "syntax"),
    ("tag", 4, "syntax"),
    ("last(purchase.completed)", 25, "syntax"),
    ("last(purchase.completed) older than 1d older than 2d", 40, "syntax"),
    ("sum(purchase.completed) > 1", 23, "syntax"),
    ("orders.count between 1", 23, "syntax"),
    ("orders.count in 1", 17, "syntax"),
    ("anniversary(attributes.birthday)", 33, "syntax"),
    ("count(browse.viewed where a = 1 and a = 2) > 1", 39, "syntax"),
    ("tag 'a", 5, "bad_text"),
    (r'tag "\q"', 5, "bad_text"),
    ("tag a ! tag b", 7, "syntax"),
    ("orders.cuont >= 3", 1, "unknown_fact"),
    ("tag a or (tag b and orders.cuont >= 3)", 21, "unknown_fact"),
    ("orders.count >= x", 17, "wrong_type"),
    ("orders.count contains 3", 14, "op_not_allowed"),
    ("tag a and rfm.class in (dormant, sleepy)", 24, "unknown_value"),
    ("last(purchase.done) older than 90d", 6, "unknown_event_type"),
    ("last(purchase.completed) older than 3w", 37, "bad_duration"),
    ("count(browse.viewed within 500d) > 3", 28, "duration_out_of_range"),
    ("count(browse.viewed where n > x) > 3", 31, "wrong_type"),
    ("attributes.age between 1 and x", 30, "wrong_type"),
    ("orders.count >= 1e400", 17, "bad_number"),
    ("not " * 100 + "tag a", 241, "syntax"),
    ("(" * 5000, 61, "syntax"),
    ("tag " + "a" * 200_000, 100_001, "too_large"),
]


@pytest.mark.parametrize(("text", "column", "code"), WRONG, ids=[text[:40] for text, *_ in WRONG])
def test_a_mistake_is_pointed_at_with_its_column(text: str, column: int, code: str) -> None:
    with pytest.raises(RuleError) as refused:
        parse_text(text)
    (problem,) = refused.value.problems
    assert (problem.place, problem.code) == (Place(1, column), code)
    assert problem.message


def test_several_mistakes_are_told_at_once_each_on_its_line() -> None:
    with pytest.raises(RuleError) as refused:
        parse_text("orders.cuont >= 3\n  and tag a\n  and last(purchase.done) older than 90d")
    assert [each.place for each in refused.value.problems] == [Place(1, 1), Place(3, 12)]
    assert "did you mean orders.count?" in refused.value.problems[0].message


_WORDS = (
    "and or not in between contains starts with exists missing any all none of older newer than "
    "within where true false count( sum( last( streak( tag segment orders.count rfm.class "
    "browse.viewed purchase.completed total 3 2.5 90d dormant ( ) , = != >= < \" ' \\ 坚果 1e999"
)
_pieces = st.sampled_from((*_WORDS.split(" "), "\n", "\x00", "\ud800", "9" * 500))


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=60), st.lists(_pieces, max_size=25).map(" ".join)))
def test_any_text_is_a_rule_or_refused_with_a_place_inside_it(text: str) -> None:
    try:
        rule = parse_text(text)
    except RuleError as refused:
        for problem in refused.problems:
            assert problem.message
            assert problem.place is not None
            assert 1 <= problem.place.column <= len(text) + 1
    else:
        assert parse_text(write_text(rule)) == rule
