"""The tracking plan says what sources really send, and nothing of whom."""

from typing import Any

from services.gateway.domain.tracking import Tallies, example_of
from tests.gateway.harness import Running
from tests.gateway.posted import a_purchase, an_event

CANARIES = ("13800009999", "zhang.san@example.com", "张三丰", "110101199003074578")


async def plan(gateway: Running, query: str = "") -> list[dict[str, Any]]:
    await gateway.gateway.tracking.write_down()
    key = await gateway.key("ops:read")
    answer = await gateway.client.get(f"/v1/tracking-plan{query}", headers=key)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def post(gateway: Running, *events: dict[str, Any]) -> None:
    key = await gateway.key("events:write")
    await gateway.client.post("/v1/events", headers=key, json={"events": list(events)})


async def test_counts_refusals_and_unknown_properties_by_source_and_type(gateway: Running) -> None:
    item = {"sku": "A", "brand": "x"}
    good = {"order_id": "O", "total": "5", "promo": True, "items": [item, item]}
    await post(
        gateway,
        *(a_purchase(properties=good, source="plan-1") for _ in range(3)),
        a_purchase(properties={"order_id": "O", "total": "-1"}, source="plan-1"),
        an_event("custom.visit", {"whatever": 1}, source="plan-1"),
        an_event("made.up", {}, source="plan-1"),
    )
    await post(gateway, a_purchase(properties=good, source="plan-1"))
    custom, purchase, unreadable = sorted(
        await plan(gateway, "?source=plan-1"), key=lambda each: each["type"].replace("(", "~")
    )
    assert (purchase["accepted"], purchase["rejected"]) == (4, 1)
    assert purchase["rejected_share"] == 0.2
    assert purchase["unknown_properties"] == {"promo": 4, "items/brand": 4}
    assert purchase["refusals"] == {"invalid_amount /properties/total": 1}
    assert purchase["example"] == {
        "order_id": "<text>",
        "total": "<number>",
        "promo": True,
        "items": [{"sku": "A", "brand": "<text>"}] * 2,
    }
    assert (custom["type"], custom["unknown_properties"]) == ("custom.visit", {})
    assert unreadable["refusals"] == {"unknown_type /type": 1}
    assert purchase["first_at"] <= purchase["last_at"]


async def test_pages_follow_one_another(gateway: Running) -> None:
    await post(gateway, *(a_purchase(source=f"page-{number}") for number in range(3)))
    key = await gateway.key("ops:read")
    await gateway.gateway.tracking.write_down()
    seen, cursor = [], ""
    while cursor is not None:
        path = f"/v1/tracking-plan?limit=1&type=purchase.completed&cursor={cursor}"
        answer = (await gateway.client.get(path.removesuffix("&cursor="), headers=key)).json()
        seen += [each["source"] for each in answer["items"]]
        cursor = answer["next_cursor"]
    assert seen == sorted(set(seen))
    assert {"page-0", "page-1", "page-2"} <= set(seen)


async def test_nothing_of_a_person_is_in_the_plan(gateway: Running) -> None:
    phone, email, name, card = CANARIES
    attributes = {"name": name, "note": f"{phone} {card}", phone: "x"}
    await post(
        gateway,
        an_event("customer.updated", {"attributes": attributes}, source="canary"),
        an_event("custom.free", {phone: {email: name}, "text": [card]}, source=f"shop of {phone}"),
        an_event("support.opened", {"ticket_id": phone, "text": name, email: 1}, source="canary"),
        an_event(f"custom.{email}", {}, source="canary", occurred_at="never"),
        a_purchase(source="canary", properties={"order_id": phone, "total": email}),
    )
    rows = await plan(gateway)
    stored = await gateway.gateway.database.pool.fetch("SELECT t::text FROM tracking t")
    assert any(row["source"].startswith("shop of 138****") for row in rows)
    for canary in CANARIES:
        assert canary not in str(rows)
        assert canary not in str(stored)


def test_what_could_not_be_written_down_is_not_lost() -> None:
    tallies = Tallies()
    tallies.accepted("s", "browse.searched", b'{"query":"x","by":1}', 1)
    taken = tallies.take()
    tallies.accepted("s", "browse.searched", b'{"query":"y","by":1}', 2)
    tallies.give_back(taken)
    [tally] = tallies.take().values()
    assert (tally.accepted, tally.first_at, tally.last_at) == (2, 1, 2)
    assert tally.unknown == {"by": 2}


def test_an_example_keeps_the_shape_and_no_values() -> None:
    properties = b'{"total":"259.00","n":13800009999,"deep":{"a":[1,"b",null]},"kind":"question"}'
    assert example_of("custom.x", properties) == {
        "total": "<number>",
        "n": "<number>",
        "deep": {"a": ["<number>", "<text>", None]},
        "kind": "question",
    }
