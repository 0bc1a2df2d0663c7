"""Messages of the Segment spec in the words of our contract; nothing runs here."""

import json
from typing import Any

import pytest

from services.gateway.domain.door import Accepted, Door
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.sdk.commerce import COMMERCE
from services.gateway.domain.sdk.mapping import Mapped, mapped
from services.gateway.domain.sdk.messages import Envelope, Sent, sent
from services.gateway.domain.tokens import Tokens
from tests.builders import START
from zhiyin.contracts.instants import DAY, HOUR, SECOND, rfc3339

NOW = START + DAY
DOOR = Door(Tokens(b"k" * 32))


def a_message(type: str = "track", **changes: Any) -> dict[str, Any]:
    return {
        "type": type,
        "messageId": "m-1",
        "userId": "M1",
        "anonymousId": None,
        "timestamp": rfc3339(START),
        "sentAt": rfc3339(NOW),
        **changes,
    }


def mapping(message: Any, **envelope: Any) -> Mapped | Rejection:
    return mapped(json.dumps(message).encode(), Envelope(**envelope), "shop", NOW, "CN")


def meant(message: dict[str, Any], **envelope: Any) -> Mapped:
    found = mapping(message, **envelope)
    assert isinstance(found, Mapped), found
    return found


def event_of(message: dict[str, Any]) -> dict[str, Any]:
    """The event, which the door takes."""
    raw = meant(message).raw
    judged = DOOR.judge(raw, NOW)
    assert isinstance(judged, Accepted), judged
    event: dict[str, Any] = json.loads(raw)
    return event


def tracked(event: str, properties: dict[str, Any]) -> dict[str, Any]:
    return event_of(a_message(event=event, properties=properties))


PRODUCT = {
    "product_id": "P-1",
    "name": "阿胶糕",
    "category": "阿胶糕",
    "price": 129.5,
    "quantity": 2,
}


def test_an_order_becomes_a_purchase_with_its_items() -> None:
    event = tracked(
        "Order Completed",
        {"order_id": "O-1", "total": 27.5, "revenue": 25, "currency": "cny", "coupon": "c-1",
         "discount": 2.5, "products": [PRODUCT]},
    )  # fmt: skip
    assert event["type"] == "purchase.completed"
    assert event["customer"] == {"member_id": "M1"}
    said = event["properties"]
    assert (said["order_id"], said["total"], said["currency"]) == ("O-1", "27.5", "CNY")
    assert said["coupon_codes"] == ["c-1"]
    [item] = said["items"]
    assert (item["sku"], item["unit_price"], item["quantity"]) == ("P-1", "129.5", 2)
    assert "products" not in said


@pytest.mark.parametrize(
    ("stated", "total"),
    [
        ({"total": 51.980000000000004}, "51.98"),
        ({"total": "259.00"}, "259"),
        ({"revenue": 100, "shipping": 10, "tax": "5.5"}, "115.5"),
        ({"subtotal": 90, "shipping": 10}, "100"),
        ({"value": 42}, "42"),
        ({"products": [PRODUCT, PRODUCT], "discount": 18}, "500"),
    ],
)
def test_what_was_paid_is_found_however_it_is_said(stated: dict[str, Any], total: str) -> None:
    said = tracked("Order Completed", {"order_id": "O-1", **stated})["properties"]
    assert said["total"] == total


def test_a_refund_of_an_amount_is_a_refund_and_one_of_everything_calls_the_order_off() -> None:
    part = tracked("Order Refunded", {"order_id": "O-1", "total": 30})
    assert part["type"] == "purchase.refunded"
    assert (part["properties"]["amount"], part["properties"]["refund_id"]) == ("30", "m-1")
    by_product = tracked("Order Refunded", {"order_id": "O-1", "products": [PRODUCT]})
    assert by_product["properties"]["amount"] == "259"
    whole = tracked("Order Refunded", {"order_id": "O-1"})
    assert whole["type"] == "purchase.cancelled"


@pytest.mark.parametrize(
    ("name", "properties", "event_type", "expected"),
    [
        ("Products Searched", {"query": "坚果"}, "browse.searched", {"query": "坚果"}),
        ("Product List Viewed", {"list_id": "hot", "products": [PRODUCT]}, "browse.viewed",
         {"kind": "category", "category": "hot", "skus": ["P-1"]}),
        ("Product Viewed", PRODUCT, "browse.viewed",
         {"kind": "product", "sku": "P-1", "category": "阿胶糕", "title": "阿胶糕"}),
        ("Viewed Product", PRODUCT, "browse.viewed", {"kind": "product", "sku": "P-1"}),
        ("Product Added", PRODUCT, "browse.carted",
         {"sku": "P-1", "quantity": 2, "unit_price": "129.5"}),
        ("product_removed", {"sku": 77, "quantity": "1"}, "browse.uncarted",
         {"sku": "77", "quantity": 1}),
        ("Product Added to Wishlist", PRODUCT, "browse.favorited", {"sku": "P-1"}),
        ("Wishlist Product Added to Cart", PRODUCT, "browse.carted", {"sku": "P-1"}),
        ("Product Shared", {"product_id": "P-1", "share_message": "看看"}, "community.shared",
         {"sku": "P-1", "text": "看看"}),
        ("Product Reviewed", {"product_id": "P-1", "review_body": "好吃", "rating": 5},
         "community.reviewed", {"sku": "P-1", "text": "好吃", "score": 5}),
        ("Order Cancelled", {"order_id": 12}, "purchase.cancelled", {"order_id": "12"}),
        ("Checkout Started", {"value": 9}, "custom.checkout_started", {"value": 9}),
        ("Coupon Applied", {"coupon_id": "c"}, "custom.coupon_applied", {"coupon_id": "c"}),
        ("Signed Up", {"plan": "x"}, "custom.signed_up", {"event": "Signed Up", "plan": "x"}),
        ("领取 会员卡", {}, "custom.领取_会员卡", {}),
        ("custom.Pairing", {"with": "tea"}, "custom.pairing", {"with": "tea"}),
        ("support.opened", {"ticket_id": "T-1"}, "support.opened", {"ticket_id": "T-1"}),
        ("", {"a": 1}, "custom.track", {"a": 1}),
    ],
)  # fmt: skip
def test_what_is_tracked_has_its_name_in_the_contract(
    name: str, properties: dict[str, Any], event_type: str, expected: dict[str, Any]
) -> None:
    event = tracked(name, properties)
    assert event["type"] == event_type
    assert expected.items() <= event["properties"].items()


def test_every_name_of_the_commerce_spec_gives_an_event_that_the_door_takes() -> None:
    properties = {**PRODUCT, "order_id": "O-1", "total": 1, "query": "q", "products": [PRODUCT]}
    for name in COMMERCE:
        assert not tracked(name, properties)["type"].startswith("custom."), name


def test_who_somebody_is_cannot_be_tracked_under_our_own_names() -> None:
    assert tracked("customer.unlinked", {})["type"] == "custom.customer_unlinked"


def test_an_identify_says_who_and_what_somebody_is() -> None:
    traits = {
        "email": "A@Example.com",
        "phone": "13800001111",
        "unionId": "u-1",
        "firstName": "丽",
        "age": 30,
        "tags": ["a", "b"],
        "address": {"city": "杭州", "geo": {"lat": 1}},
        "idCard": "x",
        "pets": [{"name": "cat"}],
        "consents": {"marketing.sms": False},
    }
    found = meant(a_message("identify", anonymousId="a-1", traits=traits))
    event = json.loads(found.raw)
    assert event["type"] == "customer.updated"
    assert event["customer"] == {
        "member_id": "M1",
        "anonymous_id": "a-1",
        "phone": "+8613800001111",
        "email": "a@example.com",
        "unionid": "u-1",
    }
    assert event["properties"] == {
        "attributes": {
            "first_name": "丽", "age": 30, "tags": ["a", "b"], "city": "杭州", "address.geo.lat": 1
        },
        "consents": {"marketing.sms": False},
    }  # fmt: skip
    assert {each.pointer for each in found.left_out} == {"/traits/idCard", "/traits/pets"}


def test_traits_may_come_in_the_context_alone() -> None:
    message = a_message("identify", context={"traits": {"city": "杭州", "phone": "13800001111"}})
    event = event_of(message)
    assert event["properties"]["attributes"] == {"city": "杭州"}
    assert event["customer"]["phone"] == "+8613800001111"


def test_an_identifier_that_cannot_be_used_does_not_cost_the_event() -> None:
    found = meant(a_message(userId="undefined", anonymousId="a-1", event="x"))
    assert found.customer == {"anonymous_id": "a-1"}
    assert [each.pointer for each in found.left_out] == ["/userId"]
    nobody = mapping(a_message(userId=None, event="x"))
    assert nobody == ("no_identifier", "neither userId nor anonymousId is usable", "/userId")


@pytest.mark.parametrize(
    ("user_id", "customer"),
    [
        ("li@example.com", {"email": "li@example.com"}),
        ("13800001111", {"phone": "+8613800001111"}),
        ("+447911123456", {"phone": "+447911123456"}),
        (20001, {"member_id": "20001"}),
    ],
)
def test_members_called_by_phone_or_email_are_known_by_that(user_id: Any, customer: Any) -> None:
    assert meant(a_message(userId=user_id, event="x")).customer == customer


def test_an_alias_makes_one_person_of_two() -> None:
    event = event_of(a_message("alias", previousId="a-9"))
    assert event["type"] == "customer.linked"
    assert event["customer"] == {"member_id": "M1", "anonymous_id": "a-9"}
    again = event_of(a_message("alias", previousId="M1", anonymousId="a-9"))
    assert again["customer"] == event["customer"]


def test_traits_of_a_group_are_not_the_persons() -> None:
    message = a_message("group", groupId="g-1", traits={"email": "club@example.com"})
    event = event_of(message)
    assert event["customer"] == {"member_id": "M1"}
    assert event["type"] == "custom.group"
    assert event["properties"]["group_id"] == "g-1"


def test_a_page_is_content_and_its_address_is_kept_without_the_query() -> None:
    properties = {"url": "https://shop/p?mail=a%40b.com#x", "search": "?tel=138%2000001111"}
    event = event_of(a_message("page", name="首页", properties=properties))
    said = event["properties"]
    assert event["type"] == "browse.viewed"
    assert (said["kind"], said["title"], said["url"]) == ("content", "首页", "https://shop/p")
    judged = DOOR.judge(meant(a_message("page", properties=properties)).raw, NOW)
    assert isinstance(judged, Accepted)
    assert b"00001111" not in judged.properties


def test_the_campaign_that_brought_somebody_stays_with_what_they_did() -> None:
    context = {"campaign": {"source": "wechat", "name": "双十一"}, "page": {"path": "/"}}
    order = {"order_id": "O-1", "total": 1}
    event = event_of(a_message(event="Order Completed", properties=order, context=context))
    assert event["properties"]["campaign"] == {"source": "wechat", "name": "双十一"}
    assert event["properties"]["channel"] == "online"


@pytest.mark.parametrize(
    ("timestamp", "sent_at", "happened"),
    [
        (START, NOW, START),
        (START, NOW - 9 * SECOND, START),  # on its way, or sent again
        (START, NOW - HOUR, START + HOUR),  # a clock an hour late
        (START, NOW + HOUR, START - HOUR),
        (START, None, START),
        (None, NOW, NOW),
    ],
)
def test_a_clock_that_is_off_is_corrected_by_when_it_sent(
    timestamp: int | None, sent_at: int | None, happened: int
) -> None:
    stated = {
        "timestamp": rfc3339(timestamp) if timestamp else None,
        "sentAt": rfc3339(sent_at) if sent_at else None,
    }
    assert meant(a_message(event="x", **stated)).occurred_at == happened
    original = {"originalTimestamp": stated["timestamp"], "timestamp": None, "sentAt": None}
    envelope = Envelope(sent_at=stated["sentAt"])
    raw = json.dumps(a_message(event="x", **original)).encode()
    found = mapped(raw, envelope, "shop", NOW, "CN")
    assert isinstance(found, Mapped)
    assert found.occurred_at == happened


def test_a_time_that_is_none_is_the_time_of_receipt() -> None:
    found = meant(a_message(event="x", timestamp="yesterday"))
    assert found.occurred_at == NOW
    assert [each.pointer for each in found.left_out] == ["/timestamp"]


def test_a_message_without_an_id_is_the_same_message_when_it_comes_again() -> None:
    message = a_message(event="x", messageId=None)
    assert meant(message).event_id == meant(message).event_id
    assert meant(message).event_id != meant({**message, "event": "y"}).event_id
    long = a_message(event="x", messageId="m" * 200)
    assert len(meant(long).event_id) == 32


def test_what_the_door_refuses_is_kept_as_custom_with_the_reason() -> None:
    found = meant(a_message(event="Order Completed", properties={"total": 5, "phone": "1"}))
    refused = DOOR.judge(found.raw, NOW)
    assert isinstance(refused, Rejection)
    first, bare = found.instead(refused)
    kept = json.loads(first)
    assert kept["type"] == "custom.order_completed"
    assert kept["properties"]["total"] == 5
    assert kept["properties"]["refused"] == {
        "as": "purchase.completed",
        "code": "missing_field",
        "message": refused.message,
        "pointer": "/properties/order_id",
    }
    assert set(json.loads(bare)["properties"]) == {"refused"}
    assert isinstance(DOOR.judge(first, NOW), Accepted)


@pytest.mark.parametrize("message", [None, 5, "x", [], [1], True])
def test_what_is_no_message_is_refused_with_a_reason(message: Any) -> None:
    found = mapping(message)
    assert isinstance(found, Rejection)
    assert found.code == "wrong_type"


def test_any_type_in_any_place_is_an_event_or_a_reason() -> None:
    places = [name for name in a_message() if name != "type"]
    places += ["event", "properties", "traits", "context", "name", "category", "groupId"]
    for kind in ("track", "identify", "page", "screen", "group", "alias", "nonsense", 7):
        for place in places:
            for value in (None, 7, 1.5, True, "x", "", [], {}, [{}], {"traits": 5}, {"page": []}):
                found = mapping({**a_message(), "type": kind, place: value})
                if isinstance(found, Mapped):
                    DOOR.judge(found.raw, NOW)


def test_half_a_character_of_one_message_does_not_cost_the_batch() -> None:
    body = b'{"batch":[{"event":"a\\ud800"},{"event":"b\\ud83d\\ude00"}]}'
    found = sent(body, None)
    assert isinstance(found, Sent)
    assert [json.loads(raw)["event"] for raw in found.raws] == ["a�", "b😀"]
