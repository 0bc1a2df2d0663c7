"""What the door lets in, and what it says of what it does not."""

import json
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateway.domain.door import Accepted, Door
from services.gateway.domain.rejection import Rejection
from services.gateway.domain.tokens import Tokens, is_token
from tests.gateway.posted import a_purchase, an_event, now
from zhiyin.contracts.events import decode_event
from zhiyin.runtime.clock import wall_clock

DOOR = Door(Tokens(b"k" * 32))


def judged(event: Any, door: Door = DOOR) -> Accepted | Rejection:
    raw = event if isinstance(event, bytes) else json.dumps(event).encode()
    return door.judge(raw, wall_clock())


def nested(levels: int) -> Any:
    return {"a": nested(levels - 1)} if levels else 1


def order(**changes: Any) -> dict[str, Any]:
    return {"order_id": "O", "total": "1", **changes}


REFUSED = [
    (a_purchase(event_id=None), "missing_field", "/event_id"),
    (a_purchase(event_id=""), "invalid_value", "/event_id"),
    (a_purchase(event_id="x" * 129), "invalid_value", "/event_id"),
    (a_purchase(event_id=5), "wrong_type", "/event_id"),
    (a_purchase(occurred_at="yesterday"), "invalid_time", "/occurred_at"),
    (a_purchase(occurred_at="2026-01-01T00:00:00"), "missing_offset", "/occurred_at"),
    (a_purchase(occurred_at="9999-12-31T23:59:59Z"), "in_the_future", "/occurred_at"),
    (a_purchase(occurred_at="1969-12-31T23:59:59Z"), "too_old", "/occurred_at"),
    (a_purchase(occurred_at="0001-01-01T00:00:00+14:00"), "too_old", "/occurred_at"),
    (a_purchase(type="purchase.dreamt"), "unknown_type", "/type"),
    (a_purchase(type="custom."), "unknown_type", "/type"),
    (an_event("customer.tagged", {"tag": "vip"}), "operator_only", "/type"),
    (an_event("customer.untagged", {"tag": "vip"}), "operator_only", "/type"),
    (
        an_event("customer.linked", {"keep": "a", "absorb": "b"}),
        "operator_only",
        "/properties/keep",
    ),
    (
        an_event("customer.linked", {"withdrawn": ["marketing.sms"]}),
        "operator_only",
        "/properties/withdrawn",
    ),
    (an_event("customer.linked", {"parted": True}), "operator_only", "/properties/parted"),
    (an_event("customer.linked", {"actor": "me"}), "operator_only", "/properties/actor"),
    (a_purchase(customer={}), "no_identifier", "/customer"),
    (a_purchase(customer=None), "missing_field", "/customer"),
    (a_purchase(customer=[]), "wrong_type", "/customer"),
    (a_purchase(customer={"member_id": ""}), "empty_identifier", "/customer/member_id"),
    (a_purchase(customer={"member_id": "  "}), "empty_identifier", "/customer/member_id"),
    (a_purchase(customer={"member_id": 7}), "wrong_type", "/customer/member_id"),
    (a_purchase(customer={"member_id": "x" * 129}), "invalid_identifier", "/customer/member_id"),
    (
        a_purchase(customer={"member_id": "undefined"}),
        "placeholder_identifier",
        "/customer/member_id",
    ),
    (a_purchase(customer={"profile_id": "p"}), "unknown_namespace", "/customer/profile_id"),
    (a_purchase(customer={"a/b": "p"}), "unknown_namespace", "/customer/a~1b"),
    (a_purchase(customer={"phone": "12"}), "invalid_phone", "/customer/phone"),
    (a_purchase(customer={"email": "nobody"}), "invalid_email", "/customer/email"),
    (a_purchase(properties=[]), "wrong_type", "/properties"),
    (a_purchase(properties={"total": "1"}), "missing_field", "/properties/order_id"),
    (a_purchase(properties=order(total="-1")), "invalid_amount", "/properties/total"),
    (a_purchase(properties=order(total="NaN")), "invalid_amount", "/properties/total"),
    (
        a_purchase(properties=order(items=[{"sku": "A", "unit_price": "-1"}])),
        "invalid_amount",
        "/properties/items/0/unit_price",
    ),
    (an_event("browse.viewed", {"dwell_seconds": -1}), "out_of_range", "/properties/dwell_seconds"),
    (
        an_event("browse.carted", {"sku": "A", "quantity": 0}),
        "out_of_range",
        "/properties/quantity",
    ),
    (an_event("community.reviewed", {"score": 1e9}), "out_of_range", "/properties/score"),
    (a_purchase(properties=order(total="1e-99999")), "invalid_amount", "/properties/total"),
    (a_purchase(properties=order(currency="USD")), "unsupported_currency", "/properties/currency"),
    (a_purchase(properties=order(items=[{"sku": ""}])), "invalid_value", "/properties/items/0/sku"),
    (
        a_purchase(properties=order(items=[{"sku": "A", "quantity": 0}])),
        "invalid_value",
        "/properties/items/0/quantity",
    ),
    (
        an_event("browse.carted", {"sku": "A", "unit_price": "Infinity"}),
        "invalid_amount",
        "/properties/unit_price",
    ),
    (
        an_event("customer.updated", {"attributes": {"phone": "13800001111"}}),
        "personal_attribute",
        "/properties/attributes/phone",
    ),
    (an_event("custom.x", {"a": "\0"}), "invalid_character", "/properties/a"),
    (an_event("custom.x", {"a\0": 1}), "invalid_character", "/properties"),
    (an_event("custom.x", {"a": 2**63}), "number_too_large", "/properties/a"),
    (an_event("custom.x", {"a": "x" * 40_000}), "too_large", ""),
    (an_event("custom.x", nested(16)), "too_deep", "/properties" + "/a" * 15),
    (b'{"a":' * 3000 + b"1" + b"}" * 3000, "too_deep", ""),
    (b'{"event_id": 1e999}', "invalid_json", ""),
    (b'{"event_id": "\\ud800 "}', "invalid_json", ""),
    (b'{"event_id": NaN}', "invalid_json", ""),
    (b"7", "wrong_type", ""),
]


@pytest.mark.parametrize(("event", "code", "pointer"), REFUSED)
def test_a_refusal_names_its_reason_and_place(event: Any, code: str, pointer: str) -> None:
    found = judged(event)
    assert isinstance(found, Rejection)
    assert (found.code, found.pointer) == (code, pointer)


@pytest.mark.parametrize(
    ("event_type", "properties"),
    [
        ("purchase.refunded", {"order_id": "O", "refund_id": "R", "amount": 12.5}),
        ("purchase.cancelled", {"order_id": "O"}),
        ("browse.viewed", {"kind": "product", "sku": "A", "dwell_seconds": 3}),
        ("browse.searched", {"query": "阿胶"}),
        ("support.opened", {"ticket_id": "T", "kind": "complaint", "text": "坏了"}),
        ("support.rated", {"ticket_id": "T", "score": 5}),
        ("community.shared", {"text": "好吃"}),
        ("customer.updated", {"attributes": {"city": "杭州"}, "consents": {"marketing.sms": True}}),
        ("customer.linked", {}),
        ("engagement.opened", {"action_id": "A", "channel": "sms"}),
        ("custom.played", {"whatever": [1, {"is": "fine"}]}),
    ],
)
def test_every_kind_of_event_comes_in(event_type: str, properties: Any) -> None:
    found = judged(an_event(event_type, properties))
    assert isinstance(found, Accepted), found
    assert found.topic == "events." + event_type.partition(".")[0]


def test_a_clock_running_ahead_is_recorded_as_received_and_what_it_said_is_kept() -> None:
    stated = now() + timedelta(hours=3)
    found = judged(a_purchase(occurred_at=stated.isoformat()))
    assert isinstance(found, Accepted)
    event = decode_event(found.value)
    assert event.occurred_at == event.received_at
    assert event.stated_at == stated


def test_what_only_the_gateway_writes_cannot_be_posted() -> None:
    said = {"masks": {"phone": "x"}, "received_at": "2020-01-01T00:00:00Z", "stated_at": "2020"}
    found = judged(a_purchase(**said))
    assert isinstance(found, Accepted)
    event = decode_event(found.value)
    assert event.masks == {}
    assert event.stated_at is None
    assert event.received_at is not None
    assert event.received_at.year > 2025


def test_phone_and_email_become_tokens_whatever_their_spelling() -> None:
    spellings = ["13800001111", "+8613800001111", " 86-138-0000-1111", "+86 138 0000 1111"]
    found = [judged(a_purchase(customer={"phone": phone})) for phone in spellings]
    tokens = {
        decode_event(one.value).customer["phone"] for one in found if isinstance(one, Accepted)
    }
    assert len(tokens) == 1
    assert all(map(is_token, tokens))
    mail = judged(a_purchase(customer={"email": " Zhang@Example.COM "}))
    assert isinstance(mail, Accepted)
    assert mail.secrets[0].value == "zhang@example.com"
    assert decode_event(mail.value).masks == {"email": "z***@example.com"}


def test_free_text_and_loose_properties_are_masked_but_references_are_not() -> None:
    text = "打 138 0000 1111 或 zhang@example.com，身份证 11010119900307123X"
    found = judged(an_event("support.opened", {"ticket_id": "13800001111", "text": text}))
    assert isinstance(found, Accepted)
    said = msgspec.json.decode(decode_event(found.value).properties)
    assert said["ticket_id"] == "13800001111"
    assert said["text"] == "打 138****1111 或 z***@example.com，身份证 110***********123X"
    loose = judged(
        an_event("custom.x", {"receiverPhone": 13800001111, "deep": [{"email": "a@b.cn"}]})
    )
    assert isinstance(loose, Accepted)
    assert msgspec.json.decode(decode_event(loose.value).properties) == {
        "receiverPhone": "138****1111",
        "deep": [{"email": "a***@b.cn"}],
    }


def test_identifiers_to_unlink_are_kept_as_tokens() -> None:
    found = judged(
        an_event("customer.unlinked", {"identifiers": ["phone:13800001111", "openid:o"]})
    )
    assert isinstance(found, Accepted)
    phone, openid = msgspec.json.decode(decode_event(found.value).properties)["identifiers"]
    assert is_token(phone.removeprefix("phone:"))
    assert openid == "openid:o"


def test_a_platform_of_another_currency_takes_amounts_without_one_as_its_own() -> None:
    door = Door(Tokens(b"k" * 32), currency="USD")
    assert isinstance(judged(a_purchase(properties=order()), door), Accepted)
    assert isinstance(judged(a_purchase(properties=order(currency="CNY")), door), Rejection)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NAMES = st.sampled_from([*a_purchase(), "import", "masks"])
TYPES = st.sampled_from(["purchase.completed", "customer.updated", "custom.x", "browse.carted"])


@given(st.dictionaries(NAMES, JSON), TYPES, JSON)
def test_no_json_ever_makes_the_door_raise(changes: Any, event_type: str, properties: Any) -> None:
    judged(json.dumps({**a_purchase(), **changes}).encode())
    judged(json.dumps(a_purchase(type=event_type, properties=properties)).encode())


@given(st.binary(max_size=200))
def test_no_bytes_ever_make_the_door_raise(raw: bytes) -> None:
    judged(raw)


@given(JSON)
def test_what_comes_in_can_be_read_by_those_behind_the_log(properties: Any) -> None:
    found = judged(an_event("custom.x", {"p": properties}))
    if isinstance(found, Accepted):
        event = decode_event(found.value)
        msgspec.msgpack.encode(msgspec.json.decode(event.properties))
