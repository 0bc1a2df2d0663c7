"""What of an event is taken in, kept, and refused."""

import msgspec
import pytest

from services.profile.domain.fold import refold
from services.profile.domain.history import decode_kept
from services.profile.domain.packed import unpack
from services.profile.domain.policy import PLAIN
from services.profile.domain.reading import Refusal
from tests.builders import START, a_purchase, a_ticket, an_event, an_item
from tests.profile.events import READER, read
from zhiyin.contracts.events import Event, encode_event
from zhiyin.contracts.instants import DAY, MINUTE
from zhiyin.contracts.profiles import DayCounts


def kept(event: Event) -> dict[str, object]:
    found: dict[str, object] = msgspec.msgpack.decode(decode_kept(read(event).kept).properties)
    return found


def test_free_text_and_long_strings_are_not_kept_but_are_told() -> None:
    event = a_ticket(text="please call 138…", kind="complaint", channel="x" * 129)
    assert kept(event) == {"kind": "complaint", "ticket_id": "T-1"}
    assert msgspec.msgpack.decode(read(event).whole)["text"] == "please call 138…"
    nested = an_event("custom.note", START, inner=[{"text": "secret", "k": "v"}, "y" * 200, "z"])
    assert kept(nested) == {"inner": [{"k": "v"}, "z"]}
    escaped = an_event("custom.note", START, words='"' * 65 + "a" * 65, short='a"b')
    assert kept(escaped) == {"short": 'a"b'}


def test_amounts_are_kept_as_exact_decimals() -> None:
    event = a_purchase(total=259.10, items=[an_item(unit_price="0.1"), an_item("B")])
    assert kept(event)["total"] == "259.1"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"type": "purchase.stolen"}, "unknown_type"),
        ({"type": "custom."}, "unknown_type"),
        ({"customer": {}}, "no_identifier"),
        ({"customer": {"member_id": ""}}, "no_identifier"),
        ({"customer": {"shoe_size": "42"}}, "unknown_identifier"),
        ({"customer": {"member_id": "a\0b"}}, "nul_character"),
        ({"customer": {"member_id": "m" * 600}}, "identifier_too_long"),
        ({"occurred_at": "1969-12-31T00:00:00Z"}, "occurred_at_out_of_range"),
        ({"occurred_at": "2026-03-02T00:00:01Z"}, "occurred_at_out_of_range"),
        ({"occurred_at": "2026-03-01T00:00:00"}, "malformed"),
        ({"properties": {"order_id": "O", "total": "-1"}}, "invalid_properties"),
        ({"properties": {"order_id": "O", "total": "NaN"}}, "invalid_properties"),
        ({"properties": {"order_id": "O", "total": "0." + "1" * 90}}, "invalid_properties"),
        ({"properties": []}, "invalid_properties"),
        ({"properties": {"order_id": "O", "total": "1", "x": 2**70}}, "invalid_properties"),
    ],
)
def test_what_can_never_be_an_event_is_refused(change: dict[str, object], code: str) -> None:
    document = msgspec.json.decode(encode_event(a_purchase(START))) | change
    found = READER.read(msgspec.json.encode(document), START)
    assert isinstance(found, Refusal)
    assert found.code == code


def test_old_browsing_with_a_strange_category_is_counted_without_one() -> None:
    events = [
        read(
            an_event(
                "browse.visited_store",
                START + n * MINUTE,
                store_id="S1",
                category=n,
                event_id=f"e{n}",
            )
        )
        for n in range(205)
    ]
    facts = unpack(refold(events, PLAIN))
    gone = 205 - len(facts.kept["browse"])
    assert gone > 0
    assert facts.days == {"browse.visited_store": {"": DayCounts(START // DAY, (gone,))}}
