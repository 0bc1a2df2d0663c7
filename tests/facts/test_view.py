import msgspec

from tests.builders import (
    START,
    a_browse,
    a_purchase,
    a_rating,
    a_refund,
    a_ticket,
    an_event,
    an_item,
    an_update,
)
from tests.people import snapshot_of
from zhiyin.contracts.instants import DAY
from zhiyin.contracts.profiles import Tag
from zhiyin.facts import profile_view


def test_the_profile_reads_as_the_contract_says() -> None:
    line = an_item("EJ-250", category="阿胶糕", quantity=2, unit_price="129.50", pack_days=30)
    events = [
        a_purchase(START, total="259.00", order_id="O-1", items=[line], source="tmall"),
        a_purchase(START + DAY, total=518.5, order_id="O-2", items=[line]),
        a_refund(START + DAY, order_id="O-2", amount="18.50"),
        a_browse(START + 2),
        a_ticket(START + 3, kind="complaint"),
        a_rating(START + 4, score=4),
        a_ticket(START + 5, ticket_id="T-2"),
        a_rating(START + 6, ticket_id="T-2", score=5),
        an_update(START, attributes={"city": "杭州", "gone": None}, source="crm"),
        an_update(START, consents={"marketing.sms": True}, source="crm"),
    ]
    tags = {
        "fan": Tag(START, None, "rule:fan", 2, ("e1",), "原话"),
        "past": Tag(START, START + DAY, "manual:lee"),
    }
    view = profile_view(snapshot_of(events, tags=tags), {"vips", "a"}, START + 2 * DAY)
    assert msgspec.json.decode(msgspec.json.encode(view)) == view
    expected = {
        "profile_id": "p-1",
        "version": 1,
        "created_at": "1970-01-01T00:00:00Z",
        "updated_at": "1970-01-01T00:00:00Z",
        "as_of": "2026-03-03T00:00:00Z",
        "merged_from": [],
        "not_linking": [],
        "identifiers": {"member_id": ["M1"]},
        "attributes": {"city": {"value": "杭州", "source": "crm", "at": "2026-03-01T00:00:00Z"}},
        "consents": {
            "marketing.sms": {"granted": True, "source": "crm", "at": "2026-03-01T00:00:00Z"}
        },
        "orders": {
            "count": 2,
            "total": "759.00",
            "average": "379.50",
            "refunded": "18.50",
            "first_at": "2026-03-01T00:00:00Z",
            "last_at": "2026-03-02T00:00:00Z",
        },
        "categories": {
            "阿胶糕": {
                "orders": 2,
                "quantity": 4,
                "total": "518.00",
                "last_at": "2026-03-02T00:00:00Z",
                "gifts": 0,
                "interval_days": None,
            }
        },
        "skus": {
            "EJ-250": {
                "category": "阿胶糕",
                "orders": 2,
                "quantity": 4,
                "last_at": "2026-03-02T00:00:00Z",
                "interval_days": 1.0,
            }
        },
        "gifts": {"orders": 0, "total": "0.00", "last_at": None},
        "price": {
            "sensitivity": "unknown",
            "discounted_share": 0.0,
            "coupon_share": 0.0,
            "discounted_orders": 0,
            "coupon_orders": 0,
            "discount": "0.00",
        },
        "preferred": {"channel": None, "store": None, "hour": None},
        "life": {
            "child_months": None,
            "child_weeks": None,
            "pregnancy_week": None,
            "due_at": None,
        },
        "notes": [],
        "browse": {"count": 1, "last_at": "2026-03-01T00:00:00.000002Z"},
        "support": {
            "open_tickets": 2,
            "complaints": 1,
            "open_complaints": 1,
            "last_at": "2026-03-01T00:00:00.000006Z",
            "rating": 4.5,
        },
        "rfm": {
            "r": 5,
            "f": 2,
            "m": 2,
            "class": "new_or_small",
            "next_flip": "2026-04-01T00:00:00.000001Z",
        },
        "lifecycle": {
            "stage": "active",
            "since": "2026-03-02T00:00:00Z",
            "next_flip": "2026-05-31T00:00:00.000001Z",
        },
        "tags": [
            {
                "tag": "fan",
                "since": "2026-03-01T00:00:00Z",
                "until": None,
                "source": "rule:fan",
                "rule_version": 2,
                "evidence": ["e1"],
                "quote": "原话",
            }
        ],
        "segments": ["a", "vips"],
        "reorder": [
            {
                "sku": "EJ-250",
                "due_at": "2026-05-01T00:00:00Z",
                "basis": "pack",
                "days": 60,
                "sure": "medium",
                "substituted": False,
            }
        ],
    }
    assert view == expected


def test_phone_and_email_are_shown_as_masks_only() -> None:
    event = an_event("customer.linked", customer={"phone": "tok_1", "member_id": "M1"})
    masked = msgspec.structs.replace(event, masks={"phone": "138****1111"})
    view = profile_view(snapshot_of([masked]), (), START)
    assert view["identifiers"] == {"member_id": ["M1"], "phone": ["138****1111"]}


def test_an_empty_profile_is_complete_too() -> None:
    view = profile_view(snapshot_of(), (), START)
    assert view["orders"]["average"] == "0.00"
    assert view["orders"]["last_at"] is None
    assert view["rfm"] == {"r": 0, "f": 0, "m": 0, "class": "none", "next_flip": None}
    assert view["lifecycle"]["stage"] == "lead"
    assert view["support"]["rating"] is None
