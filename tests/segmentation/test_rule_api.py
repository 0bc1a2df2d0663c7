"""Rules and facts over HTTP: every form of a rule, what it may read, what is wrong with it."""

from typing import Any

import httpx
import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.segmentation.domain.fact_list import LEAST_SHARED
from tests.builders import START, a_purchase, an_event, an_update
from tests.people import snapshot_of
from tests.segmentation.harness import Instance
from tests.segmentation.test_api import api, problem
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, moment
from zhiyin.contracts.profiles import ProfileChanged
from zhiyin.rules.compiling.facts import known_path
from zhiyin.rules.paths import fixed_paths
from zhiyin.rules.words.facts import CHOICES, FIXED
from zhiyin.runtime.clock import wall_clock

__all__ = ["api"]


def change(profile_id: str, events: list[Event], *changed: str, version: int = 1) -> ProfileChanged:
    snapshot = msgspec.structs.replace(
        snapshot_of(events), profile_id=profile_id, version=version, updated_at=wall_clock()
    )
    return ProfileChanged(f"{profile_id}:{version}", wall_clock(), snapshot, changed)


async def townspeople(instance: Instance, count: int) -> None:
    names = ("attributes.city", "attributes.shoe_size", "attributes.health.need", "tags.fan")
    more = ("categories.坚果", "events.custom.pairing", "consents.marketing.sms", "orders")
    for number in range(count):
        attributes = {"city": "杭州", "shoe_size": 36 + number, "health.need": "prevention"}
        events = [
            an_update(START, attributes=attributes, consents={"marketing.sms": True}),
            a_purchase(START),
            an_event("custom.pairing", START, device="scale", weight=61.5),
        ]
        await instance.deliver(change(f"p-{number}", events, *names, *more))


async def parse(api: httpx.AsyncClient, **rule: Any) -> httpx.Response:
    return await api.post("/v1/rules/parse", json=rule)


async def test_the_catalogue_tells_every_fact_and_what_customers_data_brought(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await townspeople(instance, LEAST_SHARED)
    told = (await api.get("/v1/facts")).json()
    facts = {one["path"]: one for one in told["items"]}
    assert len(facts) == len(told["items"])
    assert set(fixed_paths()) < facts.keys()
    assert told["sampled"] == LEAST_SHARED
    for fact in facts.values():
        assert fact["type"]
        assert fact["ops"]
        assert fact["name"]["zh"]
        assert fact["name"]["en"]
    assert facts["orders.total"]["unit"] == {"zh": "CNY", "en": "CNY"}
    assert facts["orders.count"]["unit"]["en"] == "orders"
    assert {one["value"] for one in facts["lifecycle.stage"]["values"]} >= {"new", "lost"}
    city = facts["attributes.city"]
    assert (city["type"], city["examples"], city["seen_in"]) == ("text", ["杭州"], LEAST_SHARED)
    assert facts["attributes.shoe_size"]["type"] == "number"
    assert {"categories.坚果.total", "consents.marketing.sms"} < facts.keys()
    assert facts["tags"]["examples"] == ["fan"]


async def test_an_example_is_shown_only_if_several_share_it_and_of_health_never(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await townspeople(instance, LEAST_SHARED)
    facts = {one["path"]: one for one in (await api.get("/v1/facts")).json()["items"]}
    assert facts["attributes.shoe_size"]["examples"] == []
    assert facts["attributes.health.need"]["examples"] == []


async def test_events_are_told_with_their_properties_custom_ones_too(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await townspeople(instance, 1)
    events = {one["type"]: one for one in (await api.get("/v1/facts")).json()["events"]}
    bought = {one["name"]: one["type"] for one in events["purchase.completed"]["properties"]}
    assert bought.items() >= {
        *(("total", "money"), ("gift", "flag"), ("coupon_codes", "list"), ("category", "text")),
        *(("quantity", "number"), ("channel", "text")),
    }
    pairing = {one["name"]: one["type"] for one in events["custom.pairing"]["properties"]}
    assert pairing == {"device": "text", "weight": "number"}


def test_every_fixed_fact_has_words_and_every_choice_a_meaning() -> None:
    assert set(FIXED) == set(fixed_paths())
    choices = {each for path in fixed_paths() for each in known_path(path).choices}
    assert choices <= CHOICES.keys()


async def test_a_rule_comes_back_in_every_form_and_in_words(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    text = "orders.count >= 3 and last(purchase.completed) older than 90d"
    tree = {
        "all": [
            {"fact": "orders.count", "op": "gte", "value": 3},
            {"last": {"event": "purchase.completed"}, "older_than": "90d"},
        ]
    }
    told = (await parse(api, text=text)).json()
    assert told == (await parse(api, rule=tree)).json()
    assert (told["rule"], told["text"]) == (tree, text)
    assert told["words"] == {
        "zh": "有效订单数至少 3，且最近一次完成的购买在 90 天以前",
        "en": "the number of orders is at least 3, and the last completed purchase is more than "
        "90 days ago",
    }
    assert (told["facts"], told["events"]) == (["orders.count"], ["purchase.completed"])
    logic = {">=": [{"var": "orders.count"}, 3]}
    assert (await parse(api, jsonlogic=logic)).json()["text"] == "orders.count >= 3"


async def test_what_is_wrong_is_pointed_at_in_the_form_it_came_in(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    wrong = problem(await parse(api, text="tag a and orders.cuont > 3"), 422)["errors"][0]
    assert (wrong["pointer"], wrong["line"], wrong["column"]) == ("/text", 1, 11)
    assert "did you mean orders.count?" in wrong["message"]
    nowhere = problem(await parse(api, text="tag a and segment nowhere"), 422)["errors"][0]
    assert (nowhere["pointer"], nowhere["column"]) == ("/text", 19)
    inside = problem(await parse(api, rule={"all": [{"tag": 1}]}), 422)["errors"][0]
    assert inside["pointer"] == "/rule/all/0/tag"
    assert "column" not in inside
    logic = problem(await parse(api, jsonlogic={"and": [{"cat": []}]}), 422)["errors"][0]
    assert logic["pointer"] == "/jsonlogic/and/0/cat"
    problem(await parse(api, text="tag a", rule={"tag": "a"}), 422)
    problem(await parse(api, text="tag a", jsonlogic={"!": []}), 422)
    problem(await parse(api), 422)


async def test_what_looks_like_a_mistake_is_a_warning(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await townspeople(instance, 1)
    text = "attributes.citty = 杭州 or (attributes.shoe_size = big and tag fan and tag fam)"
    warnings = (await parse(api, text=text)).json()["warnings"]
    assert [(one["pointer"], one["code"]) for one in warnings] == [
        ("/any/0", "never_seen"),
        ("/any/1/all/2", "never_seen"),
    ]
    assert "did you mean attributes.city?" in warnings[0]["message"]
    age = (
        await parse(api, text="attributes.city > 3 or attributes.shoe_size older than 1d")
    ).json()
    assert [one["code"] for one in age["warnings"]] == ["other_kind"] * 2


async def test_a_segment_is_defined_and_previewed_by_text(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    await townspeople(instance, 2)
    body = {"key": "town", "name": "城里人", "text": "attributes.city = 杭州"}
    made = await api.post("/v1/segments", json=body)
    assert made.status_code == 201
    assert made.json()["rule"] == {"fact": "attributes.city", "op": "eq", "value": "杭州"}
    assert made.json()["text"] == 'attributes.city = "杭州"'
    put = await api.put(
        "/v1/segments/town", json={"name": "N", "text": "not attributes.city = 杭州"}
    )
    assert put.json()["version"] == 2
    circle = {"name": "N", "text": "tag a or segment town"}
    refused = problem(await api.put("/v1/segments/town", json=circle), 422)["errors"][0]
    assert (refused["column"], refused["code"]) == (18, "segment_cycle")
    counted = await api.post("/v1/segments/preview", json={"text": "orders.count = 1"})
    assert counted.json()["count"] == 2
    problem(await api.post("/v1/segments/preview", json={"text": "orders.count ="}), 422)


async def test_an_explanation_says_why_when_and_by_which_events(
    api: httpx.AsyncClient, instance: Instance
) -> None:
    now = wall_clock()
    bought = [a_purchase(now - 85 * DAY, event_id="buy"), an_event("support.opened", now - DAY,
              ticket_id="T", kind="complaint", event_id="ticket")]  # fmt: skip
    await instance.deliver(change("p-1", bought, "orders", "support", "events.purchase.completed"))
    for key, text in (
        ("quiet", "orders.last_at older than 90d"),
        ("calm", "segment quiet and not support.open_complaints >= 1"),
        ("either", "segment quiet or segment calm"),
    ):
        body = {"key": key, "name": key, "text": text}
        assert (await api.post("/v1/segments", json=body)).status_code == 201
    await instance.settle()
    said = (await api.get("/v1/segments/either/explain/p-1")).json()
    assert (said["matches"], said["member"], said["rule_version"]) == (False, False, 1)
    assert (said["next_change"], said["clauses"]["becomes"]) == ("entered", True)
    assert said["next_flip"].startswith(rfc_day(now + 5 * DAY))
    assert [one["segment"] for one in said["segments"]] == ["quiet", "calm"]
    quiet, calm = said["segments"]
    assert quiet["next_flip"] == said["next_flip"]
    assert calm["next_flip"] is None
    assert calm["clauses"]["clauses"][1]["clauses"][0]["evidence"] == ["ticket"]
    assert said["sentence"]["zh"].startswith("不属于人群“either”（规则第 1 版）：")
    assert "they will enter at" in said["sentence"]["en"]
    first = (await api.get("/v1/segments/quiet/explain/p-1")).json()
    assert [(one["event_id"], one["type"]) for one in first["events"]] == [
        ("buy", "purchase.completed")
    ]


def rfc_day(at: int) -> str:
    return moment(at).date().isoformat()


_leaf = st.sampled_from(
    ["all", "any", "not", "fact", "op", "value", "count", "event", "where", "within", "tag", "last"]
)
_junk = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=5)),
        st.sampled_from(["orders.count", "gte", "7d", "browse.viewed", "\x00", "9" * 400]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(_leaf, inner, min_size=1, max_size=3)
    ),
    max_leaves=10,
)
_WORDS = "orders.count >= 3 and or not ( ) tag x last(a) older than 9d ' \""
_texts = st.lists(st.sampled_from(_WORDS.split(" ")), max_size=8).map(" ".join)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(junk=_junk, text=st.one_of(st.text(max_size=30), _texts), form=st.integers(0, 3))
async def test_junk_is_refused_with_a_pointer_and_never_breaks_anything(
    api: httpx.AsyncClient, junk: Any, text: str, form: int
) -> None:
    body = (
        {"rule": junk}, {"text": text}, {"jsonlogic": junk},
        {"key": "junk", "name": "junk", "rule": junk},
    )[form]  # fmt: skip
    path = "/v1/segments" if form == 3 else "/v1/rules/parse"
    raw = msgspec.json.encode(body)
    answer = await api.post(path, content=raw)
    assert answer.status_code in (200, 400, 422)
    if answer.status_code == 422:
        errors = answer.json()["errors"]
        assert all(one["message"] and one["pointer"].startswith("/") for one in errors)
