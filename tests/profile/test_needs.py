"""Gifts, prices, habits, intervals, notes, what moves with time, and whom to believe."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from services.profile.domain.fold import refold
from services.profile.domain.packed import unpack
from services.profile.domain.policy import PLAIN, Policy
from tests.builders import START, a_browse, a_purchase, a_refund, an_event, an_item, an_update
from tests.profile.events import read_all
from zhiyin.contracts.events import Event
from zhiyin.contracts.instants import DAY, HOUR, Instant, instant
from zhiyin.contracts.profiles import Facts, Snapshot
from zhiyin.facts import profile_view
from zhiyin.rules import Options, Person, compile_rule, parse

SHANGHAI = ZoneInfo("Asia/Shanghai")
NUTS = an_item("NUT", category="坚果", unit_price="10.00", pack_days=30)
BOX = an_item("BOX", category="坚果礼盒", unit_price="90.00")


def facts(*events: Event, policy: Policy = PLAIN) -> Facts:
    return unpack(refold(read_all(*events), policy))


def view(*events: Event, now: Instant = START + DAY, policy: Policy = PLAIN) -> dict[str, Any]:
    snapshot = Snapshot("p-1", 1, START, START, facts(*events, policy=policy))
    return profile_view(snapshot, (), now, zone=SHANGHAI)


def verdict(rule: dict[str, Any], now: Instant, *events: Event) -> tuple[bool, Instant | None]:
    person = Person(Snapshot("p-1", 1, START, START, facts(*events)))
    found = compile_rule(parse(rule), Options()).evaluate(person, now)
    return found.matches, found.next_flip


def at(text: str) -> Instant:
    return instant(datetime.fromisoformat(text))


@pytest.mark.parametrize(
    "told",
    [
        {"gift": True},
        {"gift_message": "妈妈生日快乐"},
        {"delivery": {"to": "other", "relation": "母亲"}},
    ],
)
def test_what_is_given_away_is_no_own_use(told: dict[str, Any]) -> None:
    order: dict[str, Any] = {"order_id": "O-1", "total": "10.00", "items": [NUTS], **told}
    found = view(an_event("purchase.completed", START, **order))
    assert found["gifts"] == {"orders": 1, "total": "10.00", "last_at": "2026-03-01T00:00:00Z"}
    assert found["skus"] == {}
    assert found["reorder"] == []
    assert found["categories"]["坚果"]["orders"] == found["categories"]["坚果"]["gifts"] == 1


def test_of_an_order_with_a_gift_box_only_the_box_is_given_away() -> None:
    found = view(a_purchase(START, total="100.00", items=[NUTS, BOX]))
    assert found["gifts"]["total"] == "90.00"
    assert set(found["skus"]) == {"NUT"}
    own = Policy(gift_categories=frozenset({"坚果"}))
    assert view(a_purchase(START, items=[NUTS]), policy=own)["skus"] == {}


def test_a_gift_message_is_not_kept_but_that_there_was_one_is() -> None:
    found = facts(
        an_event("purchase.completed", START, order_id="O-1", total="1", gift_message="秘密")
    )
    assert b"\xe7\xa7\x98" not in bytes(found.kept["purchase"][0].properties)
    assert found.orders_kept["O-1"].gift


def test_intervals_are_of_own_purchases_per_sku_and_category() -> None:
    events = [a_purchase(START + day * DAY, items=[NUTS]) for day in (0, 30, 50)]
    gift = a_purchase(START + 40 * DAY, items=[NUTS], gift=True)
    found = view(*events, gift, now=START + 60 * DAY)
    assert found["skus"]["NUT"]["interval_days"] == 25.0
    assert found["categories"]["坚果"]["interval_days"] == 25.0
    rule = {"fact": "skus.NUT.interval_days", "op": "eq", "value": 25}
    assert verdict(rule, START + 60 * DAY, *events, gift) == (True, None)


def test_who_buys_what_is_reduced_is_price_sensitive() -> None:
    listed = {**NUTS, "list_price": "12.00"}
    events = [
        a_purchase(START, total="50.00", order_id="O-1", coupon_codes=["C"]),
        an_event("purchase.completed", START + 1, order_id="O-2", total="10", items=[listed]),
        an_event("purchase.completed", START + 2, order_id="O-3", total="20", discount="5.00"),
        a_purchase(START + 3, total="40.00", order_id="O-4"),
        a_refund(START + 4, order_id="O-3", amount="20"),
    ]
    price = view(*events)["price"]
    assert price == {
        "sensitivity": "high",
        "discounted_share": 0.6,
        "coupon_share": 0.25,
        "discounted_orders": 3,
        "coupon_orders": 1,
        "discount": "5.00",
    }
    assert verdict({"fact": "price.sensitivity", "op": "eq", "value": "high"}, START, *events)[0]
    assert view(events[0])["price"]["sensitivity"] == "unknown"


def test_the_preferred_channel_store_and_hour_are_those_used_most() -> None:
    events = [
        an_event(
            "purchase.completed", START + n * DAY, order_id=f"O-{n}", total="1", channel=channel,
            store_id=store,
        )
        for n, (channel, store) in enumerate([("pos", "S1"), ("app", None), ("pos", "S2")])
    ]  # fmt: skip
    found = view(*events, a_browse(START + 5 * HOUR))
    assert found["preferred"] == {"channel": "pos", "store": "S2", "hour": 8}
    assert verdict({"fact": "preferred.hour", "op": "eq", "value": 8}, START, *events)[0]


def test_a_child_is_a_month_older_at_midnight_of_its_day() -> None:
    born = an_update(START, attributes={"child_birth_date": ["2020-05-05", "2026-01-31"]})
    now = at("2026-02-27T12:00:00+08:00")
    rule = {"fact": "life.child_months", "op": "gte", "value": 1}
    flip = at("2026-02-28T00:00:00+08:00")
    assert verdict(rule, now, born) == (False, flip)
    assert verdict(rule, flip - 1, born) == (False, flip)
    assert verdict(rule, flip, born)[0]
    assert view(born, now=flip)["life"]["child_months"] == 1
    assert view(born, now=flip)["life"]["child_weeks"] == 4


def test_a_pregnancy_goes_on_week_by_week_until_the_child_is_born() -> None:
    told = an_update(START, attributes={"pregnancy_week": 11})
    rule = {"fact": "life.pregnancy_week", "op": "gte", "value": 12}
    assert verdict(rule, START + DAY, told) == (False, START + 7 * DAY)
    assert verdict(rule, START + 7 * DAY, told) == (True, START + (42 - 11 + 1) * 7 * DAY)
    due = view(told)["life"]["due_at"]
    assert due == "2026-09-20T00:00:00Z"
    born = an_update(START + 200 * DAY, attributes={"child_birth_date": "2026-09-17"})
    later = view(told, born, now=START + 203 * DAY)["life"]
    assert (later["pregnancy_week"], later["child_weeks"]) == (None, 0)


def test_a_note_for_the_next_order_goes_with_it_and_a_lasting_one_with_every() -> None:
    events = [
        an_event("customer.noted", START, note_id="N-1", kind="taste_taboo", text="不吃香菜"),
        an_event(
            "customer.noted", START + 1, note_id="N-2", kind="delivery_wish", text="放前台",
            lasting=False,
        ),
    ]  # fmt: skip
    shown = view(*events)["notes"]
    assert [(each["text"], each["with_next_order"]) for each in shown] == [
        ("放前台", True),
        ("不吃香菜", True),
    ]
    after = view(*events, a_purchase(START + HOUR))["notes"]
    assert [each["with_next_order"] for each in after] == [False, True]
    gone = an_event("customer.unnoted", START + 2, note_id="N-1")
    assert [each["note_id"] for each in view(*events, gone)["notes"]] == ["N-2"]
    assert verdict({"fact": "notes", "op": "contains", "value": "taste_taboo"}, START, *events)[0]


def test_of_two_sources_the_more_trusted_is_believed_and_of_equal_ones_the_newer() -> None:
    told = [
        an_update(START, attributes={"city": "杭州"}, source="crm"),
        an_update(START + 1, attributes={"city": "上海"}, source="pos"),
        an_update(START + 2, attributes={"city": "北京"}, source="app"),
    ]
    trusting = Policy(source_trust=("crm", "pos"))
    assert facts(*told, policy=trusting).attributes["city"].value == "杭州"
    assert facts(*told[1:], policy=trusting).attributes["city"].value == "上海"
    found = facts(*told).attributes["city"]
    assert (found.value, found.source, found.at) == ("北京", "app", START + 2)
