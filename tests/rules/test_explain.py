import msgspec

from tests.builders import START, a_browse, a_purchase, an_update
from tests.people import person_of
from zhiyin.contracts.instants import DAY
from zhiyin.contracts.profiles import Tag
from zhiyin.rules import compile_rule, parse

RULE = {
    "all": [
        {"fact": "orders.total", "op": "gte", "value": "200"},
        {"last": {"event": "purchase.completed"}, "older_than": "90d"},
        {"not": {"tag": "vip"}},
        {
            "any": [
                {"count": {"event": "browse.viewed", "within": "7d"}, "op": "gte", "value": 2},
                {"fact": "attributes.city", "op": "eq", "value": "杭州"},
            ]
        },
    ]
}


def test_every_clause_says_what_it_found_and_which_events_show_it() -> None:
    bought = a_purchase(START, total="259", event_id="buy")
    looked = [a_browse(START + turn, event_id=f"look-{turn}") for turn in range(2)]
    told = an_update(START, attributes={"city": "上海"}, event_id="told")
    tags = {"vip": Tag(START, None, "manual:lee", evidence=("t-1",))}
    person = person_of([bought, *looked, told], tags=tags)
    compiled = compile_rule(parse(RULE))
    now = START + DAY
    said = compiled.explain(person, now)
    assert (said.matches, said.next_flip) == tuple(compiled.evaluate(person, now))
    total, last, untagged, either = said.clauses
    assert (total.matches, total.value, total.evidence) == (True, "259.00", ("buy",))
    assert (last.matches, last.value) == (False, "2026-03-01T00:00:00Z")
    assert last.next_flip == START + 90 * DAY + 1
    assert last.required == {"last": {"event": "purchase.completed"}, "older_than": "90d"}
    assert (untagged.matches, untagged.clauses[0].matches) == (False, True)
    assert untagged.clauses[0].evidence == ("t-1",)
    assert untagged.clauses[0].pointer == "/all/2/not"
    count, city = either.clauses
    assert (count.value, count.evidence) == (2, ("look-1", "look-0"))
    assert (city.matches, city.value, city.evidence) == (False, "上海", ("told",))
    assert city.pointer == "/all/3/any/1"


def test_an_explanation_is_json_with_times_people_can_read() -> None:
    view = compile_rule(parse(RULE)).explain(person_of([a_purchase(START)]), START + DAY).view()
    assert msgspec.json.decode(msgspec.json.encode(view)) == view
    assert view["clauses"][1]["next_flip"] == "2026-05-30T00:00:00.000001Z"


def test_every_kind_of_clause_explains_itself_on_an_empty_profile() -> None:
    clauses = [
        {"sum": {"event": "purchase.completed", "property": "total"}, "op": "gte", "value": 1},
        {"max": {"event": "purchase.completed", "property": "total"}, "op": "gte", "value": 1},
        {"streak": {"event": "browse.viewed"}, "op": "gte", "value": 1},
        {"segment": "vips"},
        {"anniversary": "attributes.birthday", "within": "7d"},
        *(
            {"fact": fact, "op": "exists"}
            for fact in ("rfm.class", "lifecycle.stage", "lifecycle.since", "tags", "reorder")
        ),
        *({"fact": fact, "op": "exists"} for fact in ("support.rating", "orders.average")),
        {"fact": "as_of", "op": "gte", "value": "2026-01-01"},
        {"fact": "orders.last_at", "op": "older_than", "value": "1d"},
    ]
    said = compile_rule(parse({"any": clauses})).explain(person_of(), START)
    values = [each.value for each in said.clauses]
    none_yet: list[object] = [
        "0",
        None,
        0,
        False,
        None,
        "none",
        "lead",
        "1970-01-01T00:00:00Z",
        [],
        [],
        None,
    ]
    assert values == [*none_yet, "0.00", "2026-03-01T00:00:00Z", None]
