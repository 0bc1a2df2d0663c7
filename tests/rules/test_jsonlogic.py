"""Rules that come as JsonLogic."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zhiyin.rules import RuleError, RuleProblem, from_jsonlogic, parse_text


def var(path: Any) -> dict[str, Any]:
    return {"var": path}


COUNT, CITY, TAGS = var("orders.count"), var("attributes.city"), var("tags")
SAID: list[tuple[Any, str]] = [
    ({"==": [COUNT, 3]}, "orders.count = 3"),
    ({"===": [CITY, "杭州"]}, "attributes.city = 杭州"),
    ({"!=": [CITY, "杭州"]}, "attributes.city != 杭州"),
    ({">": [3, COUNT]}, "orders.count < 3"),
    ({">=": [COUNT, 3]}, "orders.count >= 3"),
    ({"<=": [1, COUNT, 5]}, "orders.count between 1 and 5"),
    ({"<": [1, COUNT, 5]}, "orders.count > 1 and orders.count < 5"),
    ({"==": [CITY, None]}, "attributes.city missing"),
    ({"!=": [CITY, None]}, "attributes.city exists"),
    ({"in": [CITY, ["杭州", "上海"]]}, "attributes.city in (杭州, 上海)"),
    ({"in": ["vip", TAGS]}, "tags contains vip"),
    ({"!!": [var("consents.marketing.sms")]}, "consents.marketing.sms = true"),
    ({"!": var(["consents.marketing.sms"])}, "not consents.marketing.sms = true"),
    ({"missing": ["attributes.city"]}, "attributes.city missing"),
    (
        {"missing": ["attributes.city", "attributes.age"]},
        "attributes.city missing or attributes.age missing",
    ),
    ({"some": [TAGS, {"==": [var(""), "vip"]}]}, "tags any of (vip)"),
    ({"none": [TAGS, {"in": [var(""), ["a", "b"]]}]}, "tags none of (a, b)"),
    (
        {
            "and": [
                {">": [COUNT, 1]},
                {"or": [{"==": [var("rfm.class"), "dormant"]}, {"!": [{"in": ["a", TAGS]}]}]},
            ]
        },
        "orders.count > 1 and (rfm.class = dormant or not tags contains a)",
    ),
]


@pytest.mark.parametrize(("logic", "text"), SAID, ids=[text for _, text in SAID])
def test_what_can_be_said_here_means_the_same(logic: Any, text: str) -> None:
    assert from_jsonlogic(logic) == parse_text(text)


REFUSED: list[tuple[Any, str, str]] = [
    (5, "", "wrong_type"),
    ({}, "", "wrong_type"),
    ({"and": [], "or": []}, "", "wrong_type"),
    ({"and": []}, "/and", "bad_list"),
    ({"and": [{"==": [COUNT, 1]}, {"+": [1, 2]}]}, "/and/1/+", "not_expressible"),
    ({"if": [True, 1, 2]}, "/if", "not_expressible"),
    ({">": [{"+": [COUNT, 1]}, 3]}, "/>/0/+", "not_expressible"),
    ({">": [COUNT, var("rfm.r")]}, "/>/1", "not_expressible"),
    ({"==": [1, 2]}, "/==", "not_expressible"),
    ({"==": [COUNT]}, "/==", "bad_list"),
    ({"==": [var(["orders.count", 0]), 1]}, "/==/0/var/1", "not_expressible"),
    ({"==": [var("orders.cuont"), 1]}, "/==/0", "unknown_fact"),
    ({"or": [{"==": [COUNT, "many"]}]}, "/or/0/==/1", "wrong_type"),
    ({">": [None, CITY]}, "/>/0", "wrong_type"),
    ({"in": [CITY, "杭州上海"]}, "/in/1", "not_expressible"),
    ({"in": [CITY, ["杭州", {}]]}, "/in/1/1", "wrong_type"),
    ({"all": [TAGS, {"==": [var(""), "a"]}]}, "/all", "not_expressible"),
    ({"some": [TAGS, {">": [var(""), "a"]}]}, "/some", "not_expressible"),
    ({"missing": [5]}, "/missing", "wrong_type"),
]


@pytest.mark.parametrize(("logic", "pointer", "code"), REFUSED)
def test_the_rest_is_refused_at_its_place(logic: Any, pointer: str, code: str) -> None:
    with pytest.raises(RuleError) as refused:
        from_jsonlogic(logic, "/jsonlogic")
    problem = refused.value.problems[0]
    assert problem.code == code
    assert problem.pointer.startswith(f"/jsonlogic{pointer}")
    assert problem.message


_names = st.sampled_from(
    ["and", "or", "!", "!!", "==", "!=", ">", "<=", "in", "var", "missing", "some", "none", "+", ""]
)
_json = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6)),
        st.sampled_from([COUNT, CITY, TAGS, var("")]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(_names, st.lists(inner, max_size=3), max_size=2),
    ),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(_json)
def test_any_json_is_a_rule_or_refused(logic: Any) -> None:
    problems: tuple[RuleProblem, ...] = ()
    try:
        from_jsonlogic(logic)
    except RuleError as refused:
        problems = refused.problems
    assert all(each.message for each in problems)
